/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the kernel's memory is read.  From 6.2 on (a35b9af4ec2c) a program may declare
 * what an address points to, and each step is a load of eight instructions or so;
 * before, it is the call of a helper, of eight times as many.
 */
#pragma once

/* A function of the kernel's own, which has no number: userspace/attach/rewrite.c puts it in. */
static void *(*const declared)(const void *at, __u64 type) = (void *)REWRITE_CAST;

#define STRING_OF_(x) #x
#define STRING_OF(x)  STRING_OF_(x)

#define CAN_CAST                                                       \
	({                                                             \
		__u64 can_;                                            \
		asm("%0 = " STRING_OF(REWRITE_CAN_CAST) : "=r"(can_)); \
		can_;                                                  \
	})

/* Its type, without const. */
#define BARE(x)	      typeof(((typeof(x)(*)(void))0)())
#define DECLARED(ptr) ((BARE(*(ptr)) *)declared(ptr, bpf_core_type_id_kernel(BARE(*(ptr)))))

/*
 * ptr->a->b ...; zero where an address on the way is none.  A pointer that comes out
 * of it is a number to the verifier, whichever way it was read.
 */
#define READ(ptr, ...)                                                 \
	({                                                             \
		BARE(___arrow((ptr), __VA_ARGS__)) value_;             \
                                                                       \
		if (CAN_CAST) {                                        \
			value_ = ___arrow(DECLARED(ptr), __VA_ARGS__); \
			if (sizeof(value_) == 8)                       \
				asm("%0 = le64 %0" : "+r"(value_));    \
		} else {                                               \
			value_ = BPF_CORE_READ(ptr, __VA_ARGS__);      \
		}                                                      \
		value_;                                                \
	})

/* What the verifier knows of a pointer. */
enum pointer {
	ADDRESS, /* nothing */
	TYPED,	 /* its type: from the kernel, as it hands it to a program */
};

/* ptr->a->b ... where `how` is a constant.  The verifier may want to see a typed pointer compared
 * with NULL before it is followed: those that RCU protects. */
#define GET(how, ptr, ...)                                   \
	({                                                   \
		BARE(___arrow((ptr), __VA_ARGS__)) got_;     \
                                                             \
		if ((how) == TYPED)                          \
			got_ = ___arrow((ptr), __VA_ARGS__); \
		else                                         \
			got_ = READ(ptr, __VA_ARGS__);       \
		got_;                                        \
	})

/* Eight bytes at a field that is no number of so many. */
#define GET_WORD(how, ptr, field)                                            \
	({                                                                   \
		__u64 word_ = 0;                                             \
                                                                             \
		if ((how) == TYPED)                                          \
			word_ = *(__u64 *)&(ptr)->field;                     \
		else if (CAN_CAST)                                           \
			word_ = *(__u64 *)&DECLARED(ptr)->field;             \
		else                                                         \
			bpf_core_read(&word_, sizeof(word_), &(ptr)->field); \
		word_;                                                       \
	})

/* A typed pointer as a number, which a global function may be given. */
static __always_inline __u64 address_number(const void *at)
{
	asm("%0 = le64 %0" : "+r"(at));
	return (__u64)at;
}

/*
 * Fields that lie near each other may be had in one call, where reading is a call.
 * The second begins less than `room` bytes behind the first.
 */
#define IN_REACH(first, second, room) ((second) >= (first) && (second) - (first) < (room))
