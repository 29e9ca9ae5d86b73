/* The limits: which key is which file of which controller. */
#include <inttypes.h>

#include "cgroup/cgroup.h"
#include "conf/conf.h"
#include "lib/lib.h"

/* ---- the limits ---- */

static void
text_memory(const struct conf *c, int v1, char *buf, size_t size)
{
	(void)v1;
	put(buf, size, "%" PRIu64, c->memory);
}

/* v1 limits memory and swap together. */
static void
text_swap(const struct conf *c, int v1, char *buf, size_t size)
{
	if (v1 && c->memory == UINT64_MAX)
		die("%sswap: cgroup v1 limits memory and swap together: set "
		    "memory too", conf_where(c, KEY_SWAP));
	put(buf, size, "%" PRIu64, v1 ? c->memory + c->swap : c->swap);
}

static void
text_cpus(const struct conf *c, int v1, char *buf, size_t size)
{
	put(buf, size, v1 ? "%" PRIu64 : "%" PRIu64 " 100000", c->cpus * 100);
}

/* weight 100 is shares 1024, cgroup-v2.rst */
static void
text_cpu_weight(const struct conf *c, int v1, char *buf, size_t size)
{
	uint64_t shares = c->cpu_weight * 1024 / 100;

	if (shares < 2)
		shares = 2;
	put(buf, size, "%" PRIu64, v1 ? shares : c->cpu_weight);
}

static void
text_cpuset(const struct conf *c, int v1, char *buf, size_t size)
{
	(void)v1;
	put(buf, size, "%s", c->cpuset);
}

static void
text_pids(const struct conf *c, int v1, char *buf, size_t size)
{
	(void)v1;
	put(buf, size, "%" PRIu64, c->pids);
}

/* bfq on v1 knows weights to 1000 only */
static void
text_io_weight(const struct conf *c, int v1, char *buf, size_t size)
{
	uint64_t w = c->io_weight;

	put(buf, size, "%" PRIu64, v1 && w > 1000 ? 1000 : w);
}

const struct limit cgroup_limits[] = {
	{ KEY_MEMORY, "memory", "memory", "memory.max",
	    "memory.limit_in_bytes", text_memory, "max", "-1" },
	{ KEY_SWAP, "memory", "memory", "memory.swap.max",
	    "memory.memsw.limit_in_bytes", text_swap, "max", "-1" },
	{ KEY_CPUS, "cpu", "cpu", "cpu.max", "cpu.cfs_quota_us", text_cpus,
	    "max", "-1" },
	{ KEY_CPU_WEIGHT, "cpu", "cpu", "cpu.weight", "cpu.shares",
	    text_cpu_weight, "100", "1024" },
	{ KEY_CPUSET, "cpuset", "cpuset", "cpuset.cpus", "cpuset.cpus",
	    text_cpuset, "\n", NULL },
	{ KEY_PIDS, "pids", "pids", "pids.max", "pids.max", text_pids, "max",
	    "max" },
	{ KEY_IO_WEIGHT, "io", "blkio", "io.weight", "blkio.bfq.weight",
	    text_io_weight, "100", "100" },
	{ .file = NULL },
};
