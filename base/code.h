/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The code of this program and of its libraries, as far as it is mapped.
 */
#ifndef BASE_CODE_H
#define BASE_CODE_H

/*
 * Lets go of all that is only read: an idle supervisor maps what its loop
 * needs, and the rest again, by a few page faults, when it is needed.
 */
void code_drop(void);

#endif
