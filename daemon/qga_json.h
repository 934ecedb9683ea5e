/* SPDX-License-Identifier: GPL-2.0 */
/* Members of the objects that replies are made of. */
#ifndef KFREEZE_QGA_JSON_H
#define KFREEZE_QGA_JSON_H

#include <stdbool.h>
#include <stdint.h>

struct json_object;

/* @value is taken over. */
void qga_json_add(struct json_object *object, const char *key,
		  struct json_object *value);
void qga_json_add_string(struct json_object *object, const char *key,
			 const char *value);
/* Nothing if @value is "". */
void qga_json_add_known(struct json_object *object, const char *key,
			const char *value);
void qga_json_add_int(struct json_object *object, const char *key, int64_t value);
void qga_json_add_uint(struct json_object *object, const char *key,
		       uint64_t value);
void qga_json_add_bool(struct json_object *object, const char *key, bool value);

/* The last element of an array, or NULL. */
struct json_object *qga_json_last(struct json_object *array);

#endif
