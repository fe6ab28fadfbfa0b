# SPDX-License-Identifier: GPL-2.0-or-later
# The symbol graph of the objects: a lower layer references nothing of a
# higher one, and outside base/sys nobody calls what is behind sys_*().
# Input: lines "OBJECT SYMBOL TYPE" (nm -P); -v allow=FILE names exceptions:
# "OBJECT SYMBOL", the rest of the line says why.

BEGIN {
	may["base"] = " base "
	may["qmp"] = " base qmp "
	may["storage"] = " base storage "
	may["net"] = " base net "
	may["supervisor"] = " base qmp storage net supervisor "
	may["ctl"] = " base ctl "
	n = split("open openat creat close read write pread pwrite stat lstat " \
		"fstat fstatat truncate ftruncate fallocate posix_fallocate " \
		"fsync fdatasync mkdir mkdirat mkfifo mkfifoat unlink unlinkat " \
		"rmdir remove rename renameat chmod fchmod fchmodat flock lockf " \
		"opendir fdopendir readdir scandir socket socketpair bind " \
		"listen connect accept accept4 send sendto sendmsg recv " \
		"recvfrom recvmsg getpeername getsockopt fork vfork clone execv execve " \
		"execvp execl execlp posix_spawn posix_spawnp kill wait waitpid " \
		"waitid wait4 pidfd_open pidfd_send_signal clock_gettime " \
		"gettimeofday time getrandom getentropy rand random fopen " \
		"fdopen freopen sleep usleep nanosleep poll ppoll select " \
		"system popen", list, " ")
	for (i = 1; i <= n; i++)
		seam[list[i]] = 1
	while ((getline line < allow) > 0) {
		split(line, word, " ")
		if (line !~ /^#/)
			allowed[word[1], word[2]] = 1 # a symbol, or *
	}
}

{
	object[NR] = $1
	symbol[NR] = $2
	type[NR] = $3
	if ($3 != "U" && $3 ~ /^[A-VX-Z]$/)
		home[$2] = $1
}

function dir(path)
{
	sub(/\/.*/, "", path)
	return path
}

# "__openat64_2" and "__read_chk" are openat and read.
function plain(name)
{
	sub(/^__/, "", name)
	sub(/(_chk|_2)$/, "", name)
	sub(/64$/, "", name)
	return name
}

END {
	for (i = 1; i <= NR; i++) {
		if (type[i] != "U")
			continue
		here = object[i]
		name = symbol[i]
		edges++
		if ((here, name) in allowed || (here, "*") in allowed)
			continue
		if (name in home && !index(may[dir(here)], " " dir(home[name]) " ")) {
			printf "%s calls %s of %s\n", here, name, home[name]
			bad = 1
		}
		if (plain(name) in seam && dir(here) != "ctl" && \
				here !~ /^base\/sys(_[a-z]+)?\.o$/ && !(name in home)) {
			printf "%s calls %s past base/sys\n", here, name
			bad = 1
		}
	}
	printf "# %d references\n", edges
	exit bad
}
