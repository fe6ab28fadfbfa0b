/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What cppcheck has to know of the libraries' macros; included by force. */
#define json_array_foreach(array, i, value) \
	for (i = 0; (value = json_array_get(array, i)) != NULL; i++)
#define json_object_foreach(object, key, value) \
	for (key = ""; (value = json_object_get(object, key)) != NULL;)
