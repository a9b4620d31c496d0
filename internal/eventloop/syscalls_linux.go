package eventloop

import (
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The descriptors do not block, so neither do these calls: the scheduler need not
// be told of them, which costs as much as a short call itself.

func read(fd int32, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(n), 0 //nolint:gosec // at most len(p)
}

// write uses send: a connection that the peer has closed gives an error, not a signal.
func write(fd int32, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(n), 0 //nolint:gosec // at most len(p)
}

func writev(fd int32, vector *[maxParts]unix.Iovec, parts int) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(vector)), uintptr(parts)) //nolint:gosec // a few
	if errno != 0 {
		return -1, errno
	}
	return int(n), 0 //nolint:gosec // at most what there was
}

// addrPort is an address as the rest of the program has them: IPv4 in its own form.
func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)) //nolint:gosec // a port
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port)) //nolint:gosec // a port
	}
	return netip.AddrPort{}
}
