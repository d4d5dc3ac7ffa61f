package link

import "testing"

// TestWhichNetworksAreAllowed is S18: names, patterns, kinds, and exceptions from them.
func TestWhichNetworksAreAllowed(t *testing.T) {
	for _, c := range []struct {
		text    string
		network Interface
		want    bool
	}{
		{"", Interface{"eth0", ""}, true},
		{"eth0", Interface{"eth0", ""}, true},
		{"eth0", Interface{"eth01", ""}, false},
		{"wlan* eth?", Interface{"eth1", ""}, true},
		{"wifi", Interface{"wlp3s0", Wifi}, true},
		{"wifi", Interface{"wwan0", Mobile}, false},
		{"mobile", Interface{"wwan0", ""}, false},
		{"!mobile", Interface{"wwan0", Mobile}, false},
		{"!mobile", Interface{"eth0", ""}, true},
		{"!wwan* !ppp0", Interface{"ppp0", Mobile}, false},
		{"* !wlan1", Interface{"wlan1", Wifi}, false},
		{"* !wlan1", Interface{"wlan0", Wifi}, true},
		{"eth* !eth1", Interface{"wlan0", Wifi}, false},
	} {
		n, err := ParseNetworks(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := n.Allow(c.network); got != c.want {
			t.Errorf("%q allows %+v: %v", c.text, c.network, got)
		}
	}
	for _, text := range []string{"[", "eth0 !", "eth[0"} {
		if n, err := ParseNetworks(text); err == nil {
			t.Errorf("%q: %v", text, n)
		}
	}
}
