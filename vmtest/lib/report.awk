# Turns the output of a guest's tests into verdicts. Variables: kernel; names, the file that lists
# "KIND NAME" for every test that must have run.
BEGIN {
	while ((getline entry < names) > 0) {
		split(entry, field, " ")
		kind[field[2]] = field[1]
		order[++count] = field[2]
	}
}

function verdict(word, name, why)
{
	print word " " kernel "/" name (why == "" ? "" : " " why)
	if (word == "not ok")
		failed = 1
	verdicts++
}

{ sub(/\r$/, "") }

/^@@begin / {
	test = $2
	own = verdicts
	last = ""
	next
}

/^@@end / {
	done[test] = 1
	if ($2 == 77)
		verdict("skip", test, last)
	else if (kind[test] == "test")
		verdict($2 == 0 ? "ok" : "not ok", test)
	else if (verdicts == own)
		verdict("not ok", test, "printed no verdict, exit status " $2)
	else if ($2 != 0 && !failed)
		verdict("not ok", test, "exit status " $2)
	test = ""
	next
}

test != "" && kind[test] == "lines" && /^(ok|not ok|skip) / {
	word = /^not ok / ? "not ok" : $1
	rest = substr($0, length(word) + 2)
	name = rest
	sub(/ .*/, "", name)
	verdict(word, name, rest == name ? "" : substr(rest, length(name) + 2))
	next
}

{
	last = $0
	print "# " $0
}

END {
	for (i = 1; i <= count; i++)
		if (!done[order[i]])
			verdict("not ok", order[i], "the guest ended before it did")
	exit failed
}
