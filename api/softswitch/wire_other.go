//go:build !linux

package softswitch

import "fmt"

func openInterface(name string) (Wire, error) {
	return nil, fmt.Errorf("interface %s: network interfaces are supported on Linux only", name)
}
