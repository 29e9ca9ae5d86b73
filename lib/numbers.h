/* The numbers of system calls that asm/unistd.h does not have on every machine:
 * -1, there is no such call.  One that old headers lack has its number. */
#ifndef LIB_NUMBERS_H
#define LIB_NUMBERS_H

#include <asm/unistd.h>

#ifndef __NR_quotactl_fd
#define __NR_quotactl_fd 443	/* Linux 5.14; the same on every machine */
#endif

#ifndef __NR_create_module
#define __NR_create_module -1
#endif
#ifndef __NR_query_module
#define __NR_query_module -1
#endif
#ifndef __NR_get_kernel_syms
#define __NR_get_kernel_syms -1
#endif
#ifndef __NR_iopl
#define __NR_iopl -1
#endif
#ifndef __NR_ioperm
#define __NR_ioperm -1
#endif
#ifndef __NR_uselib
#define __NR_uselib -1
#endif
#ifndef __NR_ustat
#define __NR_ustat -1
#endif
#ifndef __NR_sysfs
#define __NR_sysfs -1
#endif
#ifndef __NR__sysctl
#define __NR__sysctl -1
#endif
#ifndef __NR_vm86
#define __NR_vm86 -1
#endif
#ifndef __NR_vm86old
#define __NR_vm86old -1
#endif
#ifndef __NR_clock_settime64
#define __NR_clock_settime64 -1
#endif
#ifndef __NR_stime
#define __NR_stime -1
#endif
#ifndef __NR_kexec_file_load
#define __NR_kexec_file_load -1
#endif
#ifndef __NR_lookup_dcookie
#define __NR_lookup_dcookie -1
#endif
#ifndef __NR_nfsservctl
#define __NR_nfsservctl -1
#endif

#endif
