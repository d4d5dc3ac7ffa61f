package page

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// nobodys is a user that there is not: of a connection that is gone, or is not from this device.
const nobodys = -1

// userOf is who sent a request, as far as the system tells: whose the other end of its connection is.
func userOf(r *http.Request) (uid int, told bool) {
	list, err := os.Open("/proc/self/net/tcp")
	if err != nil {
		return 0, false
	}
	defer list.Close()
	there, err := netip.ParseAddrPort(r.RemoteAddr)
	here, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if err != nil || !ok {
		return nobodys, true
	}
	for lines := bufio.NewScanner(list); lines.Scan(); {
		// sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid
		f := strings.Fields(lines.Text())
		if len(f) > 7 && f[1] == hex(there) && f[2] == hex(here.AddrPort()) {
			uid, err := strconv.Atoi(f[7])
			return uid, err == nil
		}
	}
	return nobodys, true
}

// hex is an address as the kernel writes it: as a number of this machine.
func hex(a netip.AddrPort) string {
	four := a.Addr().Unmap().As4()
	return fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(four[:]), a.Port())
}
