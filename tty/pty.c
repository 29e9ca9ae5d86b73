/* The other end of a pty. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "tty/tty.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)	/* ioctl_tty(2), Linux 4.13 */
#endif

int
pty_peer(int master)
{
	int unlock = 0;

	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return -1;
	return ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}
