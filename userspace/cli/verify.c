/* SPDX-License-Identifier: Apache-2.0 */
/* hinomi verify: what a spool says, judged by itself. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/row.h"
#include "cli/verifier.h"
#include "frame/frame.h"
#include "frame/public_key.h"
#include "frame/sealed.h"
#include "spool/spool.h"

static const char help[] =
	"Usage: hinomi verify [--spool DIR | --frames FILE]\n"
	"Checks that nothing in a spool was changed, removed, repeated, moved or put in,\n"
	"that whatever is missing is declared, and that the ledger's sums hold: each\n"
	"lane's chain of hashes, numbers of frames, hashes of payloads, sequence numbers\n"
	"of each cpu, the ledger against the events that are there, the signatures.\n"
	"Prints OK, or one line per finding. Without a collector's receipts it cannot see\n"
	"that the newest frames were cut off.\n"
	"\n"
	"      --spool DIR      the spool; without it " SPOOL_DEFAULT "\n"
	"      --frames FILE    instead: frames in a row, as hinomi spool export writes them and\n"
	"                       as they come out of a message queue; -: standard input\n"
	"      --part           what is given is a part of a stream: it may begin anywhere\n"
	"      --identity FILE  the sensor's public key (identity.pub of its spool, kept\n"
	"                       elsewhere since it was enrolled): every frame must go back\n"
	"                       to it; without it the first certificate is believed\n"
	"      --receipts FILE  receipts of a collector (SINK.LANE.receipts of the forwarder, or\n"
	"                       receipts in its store): what they cover must be here.\n"
	"                       May be given more than once; needs --receipt-key\n"
	"      --receipt-key FILE  the collector's public key (receipt.pub of its store)\n"
	"  -h, --help           this text\n"
	"\n"
	"Exit status: 0 OK, 1 cannot be read, 2 usage, 3 findings, 77 permission.\n";

static void take_damage(struct verifier *verifier, enum lane lane,
			const struct spool_damage *damage)
{
	char where[96];

	if (damage->evicted)
		return; /* the frames are missing, and must be declared like any others */
	if (damage->segments)
		snprintf(where, sizeof(where), "%" PRIu64 " segments from %" PRIu64 " on are gone",
			 damage->segments, damage->at.segment);
	else
		snprintf(where, sizeof(where),
			 "segment %" PRIu64 ", %" PRIu64 " bytes from byte %" PRIu64,
			 damage->at.segment, damage->bytes, damage->at.offset);
	verifier_damage(verifier, lane, where);
}

static int verify_lane(struct verifier *verifier, const char *dir, enum lane lane)
{
	CLEANUP(spool_reader_free) struct spool_reader *reader = NULL;
	const void *frame;
	char where[64];
	size_t size;
	int err = spool_reader_open(dir, lane, (struct spool_position){0}, &reader), got;

	if (err)
		return err;
	while ((got = spool_read(reader, &frame, &size)) == 1 || got == -EBADMSG) {
		struct spool_position at = spool_reader_at(reader);
		struct spool_damage damage = spool_reader_damage(reader);

		if (got == -EBADMSG) {
			take_damage(verifier, lane, &damage);
			continue;
		}
		snprintf(where, sizeof(where), "segment %" PRIu64 ", byte %" PRIu64, at.segment,
			 at.offset);
		err = verifier_frame(verifier, lane, frame, size, where);
		if (err)
			return err;
	}
	return got;
}

static void print_lane(const struct verifier *verifier, enum lane lane, const char *name)
{
	struct verifier_counts counts = verifier_counts(verifier, lane);

	if (!counts.frames) {
		printf("%s: no frames\n", name);
		return;
	}
	printf("%s: frames %" PRIu64 " to %" PRIu64 ", %" PRIu64 " events, %" PRIu64 " start%s\n",
	       name, counts.first, counts.last, counts.events, counts.starts,
	       counts.starts == 1 ? "" : "s");
}

static void print_proof(const struct verifier *verifier)
{
	struct verifier_proof proof = verifier_proof(verifier);

	if (proof.unsigned_frames)
		printf("not signed: %" PRIu64 " frames\n", proof.unsigned_frames);
	if (!proof.signed_frames)
		return;
	printf("signed: %" PRIu64 " frames, by identity ", proof.signed_frames);
	for (size_t i = 0; i < KEY_BYTES; i++)
		printf("%02x", proof.identity[i]);
	puts(proof.identity_given ? "" : ", which the spool itself names (--identity compares)");
}

static int conclude(struct verifier *verifier)
{
	uint64_t findings, gaps, lost;

	verifier_end(verifier);
	findings = verifier_findings(verifier);
	gaps = verifier_gaps(verifier, &lost);
	print_lane(verifier, LANE_KEEP, "keep");
	print_lane(verifier, LANE_BULK, "bulk");
	print_proof(verifier);
	if (gaps)
		printf("declared missing: %" PRIu64 " events in %" PRIu64 " gaps\n", lost, gaps);
	if (findings)
		printf("%" PRIu64 " finding%s\n", findings, findings == 1 ? "" : "s");
	else
		puts("OK");
	return findings ? STATUS_FINDINGS : STATUS_OK;
}

static int take_row(struct verifier *verifier, FILE *file, const char *name)
{
	CLEANUP(row_free) struct row_reader *row = NULL;
	enum lane lane = LANE_KEEP; /* of the last frame that said so */
	const void *bytes;
	char where[48];
	size_t size;
	int err = row_open(file, &row), n;

	if (err)
		return err;
	while ((n = row_next(row, &bytes, &size)) == 1) {
		CLEANUP(frame_free) struct frame *frame = NULL;

		if (!frame_read(bytes, size, &frame) && (unsigned)frame->header->lane < LANES)
			lane = (enum lane)frame->header->lane;
		snprintf(where, sizeof(where), "byte %" PRIu64, row_at(row));
		err = verifier_frame(verifier, lane, bytes, size, where);
		if (err)
			return err;
	}
	if (n == -EBADMSG) {
		snprintf(where, sizeof(where), "no row of frames from byte %" PRIu64 " on",
			 row_at(row));
		verifier_damage(verifier, lane, where);
		return 0;
	}
	if (n)
		log_error("%s: %s", name, strerror(-n));
	return n;
}

static int verify_frames(struct verifier *verifier, const char *name)
{
	CLEANUP(fclose) FILE *opened = NULL;

	if (!strcmp(name, "-"))
		return take_row(verifier, stdin, "standard input");
	opened = fopen(name, "re");
	if (!opened) {
		log_error("%s: %m", name);
		return -errno;
	}
	return take_row(verifier, opened, name);
}

#define RECEIPT_FILES_MAX 16
#define RECEIPTS_MAX	  (1u << 20) /* of a file: the newest */

struct request {
	const char *dir, *frames_file, *identity_file, *receipt_key_file;
	const char *receipt_files[RECEIPT_FILES_MAX];
	size_t nreceipt_files;
	bool part;
	uint8_t identity[KEY_BYTES], receipt_key[KEY_BYTES];
};

struct receipts {
	const struct request *request;
	struct verifier *verifier;
	uint64_t good, bad;
	int err;
};

static void take_receipt(void *ctx, const Hinomi__SealedReceipt *sealed)
{
	struct receipts *receipts = ctx;
	Hinomi__Receipt *receipt;
	int err;

	if (receipts->err)
		return;
	err = sealed_open(sealed, receipts->request->receipt_key, &receipt);
	if (err == -ENOMEM)
		receipts->err = err;
	if (err) {
		receipts->bad += err != -ENOMEM;
		return;
	}
	receipts->good++;
	receipts->err = verifier_receipt(receipts->verifier, receipt);
	hinomi__receipt__free_unpacked(receipt, NULL);
}

static int take_receipts(const struct request *request, struct verifier *verifier)
{
	struct receipts receipts = {.request = request, .verifier = verifier};

	for (size_t i = 0; i < request->nreceipt_files; i++) {
		const char *path = request->receipt_files[i];
		int err;

		verifier_receipt_file(verifier);
		err = sealed_file_read(path, RECEIPTS_MAX, take_receipt, &receipts);
		err = err ? err : receipts.err;
		if (err) {
			log_error("%s: %s", path, strerror(-err));
			return err;
		}
	}
	if (request->nreceipt_files)
		printf("receipts: %" PRIu64 " signed by the collector\n", receipts.good);
	if (!receipts.bad)
		return 0;
	log_error("%" PRIu64 " receipts are not signed with the key in %s: another collector's, or "
		  "forged; they say nothing",
		  receipts.bad, request->receipt_key_file);
	return receipts.good ? 0 : -EKEYREJECTED;
}

static int verify(const struct request *request)
{
	CLEANUP(verifier_free) struct verifier *verifier = NULL;
	int err = verifier_new(stdout, &verifier);

	if (!err && request->identity_file)
		verifier_identity(verifier, request->identity);
	if (!err && request->part)
		verifier_part(verifier);
	if (!err && take_receipts(request, verifier))
		return STATUS_FAILED;
	if (!err && request->frames_file)
		return verify_frames(verifier, request->frames_file) ? STATUS_FAILED
								     : conclude(verifier);
	/* bulk first: in a spool that is being written, the gaps that declare its holes come later
	 */
	if (!err)
		err = verify_lane(verifier, request->dir, LANE_BULK);
	if (!err)
		err = verify_lane(verifier, request->dir, LANE_KEEP);
	return err ? spool_failed(request->dir, err) : conclude(verifier);
}

static int read_key(const char *path, const char *what, uint8_t ret[KEY_BYTES])
{
	int err = path ? public_key_read(AT_FDCWD, path, ret) : 0;

	if (err)
		log_error("%s: %s; a file with the 64 hex digits of %s is needed", path,
			  err == -EBADMSG ? "not a public key" : strerror(-err), what);
	return err;
}

/* 0, or what usage_* said, + 1 */
static int parse(int argc, char **argv, struct request *request)
{
	static const struct option options[] = {{"spool", required_argument, NULL, 's'},
						{"frames", required_argument, NULL, 'f'},
						{"identity", required_argument, NULL, 'i'},
						{"receipts", required_argument, NULL, 'r'},
						{"receipt-key", required_argument, NULL, 'k'},
						{"part", no_argument, NULL, 'p'},
						{"help", no_argument, NULL, 'h'},
						{0}};
	int option;

	while ((option = getopt_long(argc, argv, "hs:", options, NULL)) != -1) {
		if (option == 'h')
			return usage_help(help) + 1;
		if (option == 's')
			request->dir = optarg;
		else if (option == 'f')
			request->frames_file = optarg;
		else if (option == 'i')
			request->identity_file = optarg;
		else if (option == 'p')
			request->part = true;
		else if (option == 'k')
			request->receipt_key_file = optarg;
		else if (option == 'r' && request->nreceipt_files < RECEIPT_FILES_MAX)
			request->receipt_files[request->nreceipt_files++] = optarg;
		else
			return usage_refused() + 1;
	}
	if (optind < argc)
		return usage_error("'%s' is too much: the spool is named with --spool",
				   argv[optind]) +
		       1;
	if (!request->nreceipt_files != !request->receipt_key_file)
		return usage_error("--receipts and --receipt-key go together") + 1;
	return 0;
}

int command_verify(int argc, char **argv)
{
	struct request request = {.dir = SPOOL_DEFAULT};
	int status = parse(argc, argv, &request);

	if (status)
		return status - 1;
	if (read_key(request.identity_file, "identity.pub", request.identity) ||
	    read_key(request.receipt_key_file, "receipt.pub", request.receipt_key))
		return STATUS_FAILED;
	return finish(verify(&request));
}
