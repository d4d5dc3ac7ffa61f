package mo

import "strings"

// Locked is the key of the setting that names keys which only pushes can change.
const Locked = "locked"

// Switch is the key of the setting that flips Always-On. It has no place in the configuration file: the user flips it, too.
const Switch = "always_on"

// filter is the key of the setting that is the filter of a store.
const filter = "store.*.filter"

// FilterOf is the key of the filter of a store.
func FilterOf(store string) string { return strings.Replace(filter, each, store, 1) }

// IsFilter tells whether a setting is the filter of a store, which has other roads to the device as well (F1).
func (s *Setting) IsFilter() bool { return s.Key == filter }

// Addresses that the table and the description share.
const (
	account = "./DS/1"
	vendor  = "./Vendor/AlwaysOn"
	nap     = "./NAP/1"
	proxy   = "./Proxy/1"
)

// Table is every setting that is the same whatever road it comes by: a push, the command line, the configuration file (S6). What is not in here
// belongs to the device and its user, like folders and sockets.
var Table = []Setting{
	{Key: "account.server", Node: account + "/AppAddr/1/Addr", Effect: Restart, Help: "Address of the server."},
	{Key: "account.user", Node: account + "/AppAuth/1/AAuthName", Effect: Restart, Help: "Whose account it is."},
	{Key: "account.encoding", Node: vendor + "/Account/Encoding", Default: "wbxml", OneOf: []string{"wbxml", "xml"}, Effect: Restart,
		Help: "How messages are written."},
	{Key: "account.auth", Node: account + "/AppAuth/1/AAuthType", Default: "md5", OneOf: []string{"md5", "basic"}, Effect: Restart,
		Help: "How the secret is proved; basic sends it, over https only."},
	{Key: "account.max_message", Node: account + "/MaxMsgSize", Type: Integer, Default: "0", Max: 4 << 20, Effect: Restart,
		Help: "Octets of one message; 0 is the usual size."},
	{Key: "account.ca_file", Node: vendor + "/Account/CA", Type: PEM, Effect: Restart, Help: "Certificates of those who may sign for the server; empty are the system's."},
	{Key: "account.cert_file", Node: vendor + "/Account/Certificate", Type: PEM, Effect: Restart, Help: "The certificate of the device, if the server wants one."},
	{Key: "account.key_file", Node: vendor + "/Account/Key", Type: PEM, Secret: true, Effect: Restart, Help: "Its key."},
	{Key: Switch, Node: EnabledNode, Type: Bool, Effect: Open, Help: "Whether the device synchronizes by itself."},
	{Key: "push.broker", Node: account + "/AlwaysOn/PushBroker", Effect: Restart, Help: "Address of the broker that wakes the device."},
	{Key: "push.prefix", Node: account + "/AlwaysOn/PushTopic", Default: "alwayson", Effect: Restart, Help: "First level of the topics."},
	{Key: "push.user", Node: account + "/AlwaysOn/PushUser", Effect: Restart, Help: "User at the broker; the device if it is empty."},
	{Key: "push.ca_file", Node: vendor + "/Push/CA", Type: PEM, Effect: Restart,
		Help: "Certificates of those who may sign for the broker; empty is account.ca_file."},
	{Key: "push.cert_file", Node: vendor + "/Push/Certificate", Type: PEM, Effect: Restart,
		Help: "The certificate of the device for the broker; empty is account.cert_file."},
	{Key: "push.key_file", Node: vendor + "/Push/Key", Type: PEM, Secret: true, Effect: Restart, Help: "Its key."},
	{Key: "push.fallbacks", Node: account + "/AlwaysOn/PushFallbacks", Effect: Sync,
		Help: "Addresses of the broker, separated by spaces, that are tried in turn in networks in which push.broker cannot be reached; auto is port 443 of it."},
	{Key: "push.heartbeat", Node: account + "/AlwaysOn/Heartbeat", Type: Duration, Seconds: true, Default: "50s", Min: 5, Max: 12 * 60 * 60, Effect: Sync,
		Help: "How often device and broker look whether the connection still stands."},
	{Key: "network.proxy", Node: proxy + "/Addr", Effect: Restart,
		Help: "Address of the proxy (http, https or socks5) to server and broker; empty is what the environment says, none is none."},
	{Key: "network.allowed", Node: nap + "/Addr", Effect: Restart,
		Help: "Networks over which data may leave: names of interfaces like eth* or !wwan*, wifi, mobile; empty is all."},
	{Key: "network.metered", Node: vendor + "/Network/Metered", Default: "sync", OneOf: []string{"sync", "no"}, Effect: Restart,
		Help: "What is sent by itself over a network that is metered, or mobile if the system does not say: sync is everything, no nothing."},
	{Key: "power.battery", Node: vendor + "/Power/Battery", Default: "sync", OneOf: []string{"sync", "saver", "no"},
		Help: "On battery: sync as ever; saver looks by itself 4 times more seldom; no sends nothing by itself below 15 % or while the system saves power."},
	{Key: "session.attempts", Node: vendor + "/Session/Attempts", Type: Integer, Default: "8", Min: 1, Max: 1000,
		Help: "Attempts before the connection counts as lost."},
	{Key: "session.give_up", Node: vendor + "/Session/GiveUp", Type: Duration, Default: "10m", Help: "How long it is attempted before the connection counts as lost."},
	{Key: "session.backoff", Node: account + "/AlwaysOn/RetryInitial", Type: Duration, Seconds: true, Default: "1s", Help: "First pause; it doubles."},
	{Key: "session.max_pause", Node: account + "/AlwaysOn/RetryMax", Type: Duration, Seconds: true, Default: "1m", Help: "Longest pause."},
	{Key: "session.probe", Node: vendor + "/Session/Probe", Type: Duration, Default: "30s", Help: "Pause between attempts when the connection is lost."},
	{Key: "session.poll", Node: vendor + "/Session/Poll", Type: Duration, Default: "30m", Help: "Safety check that catches what every trigger missed."},
	{Key: "session.verify", Node: vendor + "/Session/Verify", Type: Duration, Default: "24h", Help: "How often both sides are compared."},
	{Key: "session.probation", Node: vendor + "/Session/Probation", Type: Duration, Default: "2m",
		Help: "How long new ways to server and broker have to prove themselves before the former ones are used again."},
	{Key: "brake.count", Node: vendor + "/Brake/Count", Type: Integer, Default: "20", Max: 1 << 30,
		Help: "Deletions that are more than this and brake.percent are held; 0 holds none."},
	{Key: "brake.percent", Node: vendor + "/Brake/Percent", Type: Integer, Default: "25", Max: 100,
		Help: "Likewise, in percent of the store."},
	{Key: "log.level", Node: vendor + "/Log/Level", Default: "info", OneOf: []string{"debug", "info", "warn", "error"}, Help: "What is written about the work."},
	{Key: Locked, Node: vendor + "/Locked", Help: "Keys that nobody but the administrator can change, separated by spaces."},
	{Key: filter, Node: account + "/DB/*/Filter", Effect: Sync, Help: "What of the store this device keeps; empty is everything."},
	{Key: "store.*.conflicts", Node: account + "/DB/*/Conflicts", Default: "merge", OneOf: []string{"merge", "keep-both", "server", "device"},
		Help: "What becomes of an item that was changed here and on the server."},
}

// Returned is the type of the event by which a device tells that it has returned to the former value of a node, since it could not be reached with the
// one that it was set to (S10). Its data is the reason.
const Returned = "Reversed-Domain-Name: org.alwayson.settings.returned"
