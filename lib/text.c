/* Text: memory that is there or ends us, words, numbers, names, and which
 * characters a terminal may be shown. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lib.h"

/* The second byte tells what is too long, a surrogate, or above U+10FFFF, and
 * after C2 the controls of ISO 6429, which are the bytes 80 to 9F; utf-8(7). */
static int
second_fits(unsigned char first, unsigned char second)
{
	unsigned char low = first == 0xc2 || first == 0xe0 ? 0xa0 :
	    first == 0xf0 ? 0x90 : 0x80;
	unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f :
	    0xbf;

	return second >= low && second <= high;
}

size_t
printable(const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len, i;

	if (*s < 0x80)
		return *s >= ' ' && *s != 0x7f;
	len = *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : 2;
	if (*s < 0xc2 || *s > 0xf4 || n < len || !second_fits(s[0], s[1]))
		return 0;
	for (i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

size_t
escape(char *out, const char *text, size_t n)
{
	size_t len = printable(text, n);

	memcpy(out, text, len);
	out[len] = '\0';
	if (!len)
		snprintf(out, ESCAPED, "\\x%02x", (unsigned char)*text);
	return len ? len : 1;
}

void *
xrealloc(void *p, size_t count, size_t size)
{
	p = reallocarray(p, count, size);
	if (!p)
		die("allocating %zu bytes:", count * size);
	return p;
}

char *
xprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	s = xrealloc(NULL, n + 1, 1);
	va_start(ap, fmt);
	vsnprintf(s, n + 1, fmt, ap);
	va_end(ap);
	return s;
}

void
put(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	if (n >= size)
		die("%s...: longer than %zu characters", buf, size - 1);
}

/* FNV-1a, with a last mix so that short names differ in every bit. */
uint64_t
hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3;
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15;
	return h ^ h >> 29;
}

int
numbers(const char *text, uint64_t *n, int max)
{
	char *end;
	int i;

	for (i = 0; i < max; i++, text = end) {
		text += strspn(text, " \t\n");
		if (*text < '0' || *text > '9')
			break;
		n[i] = strtoull(text, &end, 10);
	}
	return i;
}

int
has_word(const char *words, const char *word)
{
	size_t len = strlen(word), n;

	for (; *words; words += n + !!words[n]) {
		n = strcspn(words, " ,\n");
		if (n == len && !memcmp(words, word, n))
			return 1;
	}
	return 0;
}

const char *
complain(const char *fmt, ...)
{
	static char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return text;
}

char *
next_part(char **rest, const char *ends)
{
	char *part;

	do
		part = strsep(rest, ends);
	while (part && !*part);
	return part;
}

/* The edit distance of two words, of which b is shorter than NAME_LEN. */
static int
distance(const char *a, const char *b)
{
	int row[NAME_LEN + 1], i, j, diag, up;
	int n = strlen(b);

	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 1; a[i - 1]; i++) {
		diag = row[0];
		row[0] = i;
		for (j = 1; j <= n; j++) {
			up = row[j];
			row[j] = diag + (a[i - 1] != b[j - 1]);
			if (up + 1 < row[j])
				row[j] = up + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diag = up;
		}
	}
	return row[n];
}

void
near_try(struct near *n, const char *candidate)
{
	int d;

	if (strlen(candidate) >= NAME_LEN || strlen(n->word) >= NAME_LEN)
		return;
	d = distance(n->word, candidate);
	if (d < (*n->best ? n->least : 4) && d < (int)strlen(n->word)) {
		n->least = d;
		snprintf(n->best, sizeof(n->best), "%s", candidate);
	}
}
