package san

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// Sync types by which a server asks for a synchronization.
const firstType, lastType = 206, 210

// FromMessage reads the notification of DS 1.0 and 1.1: a SyncML message with an Alert for each sync type, and in it an item for each
// datastore (protocol.md F.6). It has no digest, so whoever acts upon it looks at the message's Cred or trusts its transport.
func FromMessage(m *syncml.Message) (*Notification, error) {
	n := &Notification{Version: DS, ByServer: true, SessionID: sessionID(m.Header.SessionID), ServerID: m.Header.Source.URI}
	asked := false
	for _, c := range m.Commands {
		a, ok := c.(*syncml.Alert)
		if !ok || a.Code < firstType || a.Code > lastType {
			continue
		}
		asked = true
		for i := range a.Items {
			s, err := fromItem(&a.Items[i])
			if err != nil {
				return nil, err
			}
			s.Type = int(a.Code)
			n.Syncs = append(n.Syncs, s)
		}
	}
	if !asked {
		return nil, fmt.Errorf("cannot read notification: no Alert from %d to %d is in the message", firstType, lastType)
	}
	return n, nil
}

func fromItem(it *syncml.Item) (Sync, error) {
	s := Sync{ContentType: ContentType(it.Meta.Type)}
	switch {
	case it.Source != nil && it.Source.URI != "":
		s.URI = it.Source.URI
	case it.Target != nil && it.Target.URI != "":
		s.URI = it.Target.URI
	default:
		return s, errors.New("cannot read notification: an item names no datastore")
	}
	return s, nil
}

// sessionID reads up to four hexadecimal digits. Anything else leaves the id to the device.
func sessionID(text string) uint16 {
	n, err := strconv.ParseUint(text, 16, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// contentTypes are WSP codes by media types in lower case (protocol.md F.3).
var contentTypes = map[string]uint32{
	"text/plain":                             0x03,
	"text/x-vcalendar":                       0x06,
	"text/x-vcard":                           0x07,
	"text/calendar":                          0x305,
	"application/vnd.omads-email+xml":        0x306,
	"application/vnd.omads-file+xml":         0x307,
	"application/vnd.omads-folder+xml":       0x308,
	"text/vcard":                             0x309, // as libsynthesis has it
	"text/directory;profile=vcard":           0x309,
	"application/vnd.syncml.notification":    0x44,
	"application/vnd.syncml.ds.notification": 0x4E,
}

// ContentType is the WSP code of a media type, 0 if it has none.
func ContentType(mediaType string) uint32 {
	return contentTypes[strings.ToLower(strings.ReplaceAll(mediaType, " ", ""))]
}
