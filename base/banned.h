/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that production code may not call: unbounded, not re-entrant,
 * silent about overflow, or starting a shell.  The Makefile includes this
 * before everything else (-include); the headers that declare them come
 * first here, so that only calls are caught.  base/str has what to use.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(name) sorry_##name##_is_banned_see_base_banned_h

#undef strcpy
#define strcpy(...) BANNED(strcpy)
#undef strcat
#define strcat(...) BANNED(strcat)
#undef strncpy
#define strncpy(...) BANNED(strncpy)
#undef strncat
#define strncat(...) BANNED(strncat)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef strtok
#define strtok(...) BANNED(strtok)
#undef gets
#define gets(...) BANNED(gets)
#undef atoi
#define atoi(...) BANNED(atoi)
#undef atol
#define atol(...) BANNED(atol)
#undef system
#define system(...) BANNED(system)
#undef popen
#define popen(...) BANNED(popen)
#undef ctime
#define ctime(...) BANNED(ctime)
#undef localtime
#define localtime(...) BANNED(localtime)
#undef alloca
#define alloca(...) BANNED(alloca)

#endif
