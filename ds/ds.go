// Package ds is the vocabulary of OMA DS: alert and status codes, sync types, anchors, and how a logical session ends.
// It imports the standard library only.
package ds

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Alert is a SyncML alert code (protocol.md C.3).
type Alert int

// The alert codes of DS 1.2.
const (
	AlertDisplay           Alert = 100
	AlertTwoWay            Alert = 200
	AlertSlow              Alert = 201
	AlertOneWayFromClient  Alert = 202
	AlertRefreshFromClient Alert = 203
	AlertOneWayFromServer  Alert = 204
	AlertRefreshFromServer Alert = 205

	AlertTwoWayByServer            Alert = 206
	AlertOneWayFromClientByServer  Alert = 207
	AlertRefreshFromClientByServer Alert = 208
	AlertOneWayFromServerByServer  Alert = 209
	AlertRefreshFromServerByServer Alert = 210

	AlertResult      Alert = 221
	AlertNextMessage Alert = 222
	AlertNoEndOfData Alert = 223
	AlertSuspend     Alert = 224
	AlertResume      Alert = 225
)

// IsSync tells whether a client may open a datastore with a: 200 to 205.
func (a Alert) IsSync() bool { return a >= AlertTwoWay && a <= AlertRefreshFromServer }

// syncTypes are the names under which people ask for a sync type.
var syncTypes = map[string]Alert{
	"two-way": AlertTwoWay, "slow": AlertSlow, "one-way-from-client": AlertOneWayFromClient, "refresh-from-client": AlertRefreshFromClient,
	"one-way-from-server": AlertOneWayFromServer, "refresh-from-server": AlertRefreshFromServer,
}

// ParseSyncType reads a name like "two-way" or "refresh-from-server"; the empty one is two-way.
func ParseSyncType(name string) (Alert, error) {
	if name == "" {
		return AlertTwoWay, nil
	}
	if a, ok := syncTypes[name]; ok {
		return a, nil
	}
	return 0, fmt.Errorf("sync type %q is none of %s", name, strings.Join(slices.Sorted(maps.Keys(syncTypes)), ", "))
}

// Refreshes tells whether under a one side is replaced by the other: what only that side had is removed there.
func (a Alert) Refreshes() bool { return a == AlertRefreshFromClient || a == AlertRefreshFromServer }

// FromClient tells whether items go from client to server under a.
func (a Alert) FromClient() bool {
	return a != AlertOneWayFromServer && a != AlertRefreshFromServer
}

// FromServer tells whether items go from server to client under a.
func (a Alert) FromServer() bool {
	return a != AlertOneWayFromClient && a != AlertRefreshFromClient
}

// NeedsAnchors tells whether a only makes sense between sides that agree about the last sync.
func (a Alert) NeedsAnchors() bool {
	return a == AlertTwoWay || a == AlertOneWayFromClient || a == AlertOneWayFromServer
}

// Requested is the alert that a client sends when a server has asked for a by notification (206 to 210, protocol.md F.5).
func (a Alert) Requested() Alert {
	switch a {
	case AlertTwoWayByServer:
		return AlertTwoWay
	case AlertOneWayFromClientByServer:
		return AlertOneWayFromClient
	case AlertRefreshFromClientByServer:
		return AlertRefreshFromClient
	case AlertOneWayFromServerByServer:
		return AlertOneWayFromServer
	case AlertRefreshFromServerByServer:
		return AlertRefreshFromServer
	}
	return a
}

// Status is a SyncML status code (protocol.md C.11). It is an error where it travels as one.
type Status int

// The status codes that this project gives or treats specially.
const (
	StatusInProgress      Status = 101
	StatusOK              Status = 200
	StatusAdded           Status = 201
	StatusAccepted        Status = 202
	StatusMerged          Status = 207
	StatusClientWins      Status = 208
	StatusDuplicated      Status = 209
	StatusNotArchived     Status = 210
	StatusNotDeleted      Status = 211
	StatusAuthenticated   Status = 212
	StatusChunk           Status = 213
	StatusUserCancelled   Status = 214
	StatusNotExecuted     Status = 215
	StatusRolledBack      Status = 216
	StatusNotModified     Status = 304 // in device management: the user said no
	StatusBadRequest      Status = 400
	StatusInvalidCred     Status = 401
	StatusForbidden       Status = 403
	StatusNotFound        Status = 404
	StatusNotAllowed      Status = 405
	StatusUnsupported     Status = 406
	StatusCredMissing     Status = 407
	StatusTimeout         Status = 408
	StatusConflict        Status = 409
	StatusGone            Status = 410
	StatusSizeRequired    Status = 411
	StatusIncomplete      Status = 412
	StatusTooLarge        Status = 413
	StatusURITooLong      Status = 414
	StatusMediaType       Status = 415
	StatusObjectTooLarge  Status = 416
	StatusRetryLater      Status = 417
	StatusExists          Status = 418
	StatusServerWins      Status = 419
	StatusFull            Status = 420
	StatusBadFilter       Status = 422
	StatusSizeMismatch    Status = 424
	StatusPermission      Status = 425
	StatusPartialRefused  Status = 426
	StatusNotEmpty        Status = 427
	StatusMoveFailed      Status = 428
	StatusFailed          Status = 500
	StatusNotImplemented  Status = 501
	StatusDTDVersion      Status = 505
	StatusProcessing      Status = 506
	StatusAtomicFailed    Status = 507
	StatusRefreshRequired Status = 508
	StatusCannotResume    Status = 509 // of libsynthesis: the server proposes a normal sync instead
	StatusStoreFailure    Status = 510
	StatusServerFailure   Status = 511
	StatusProtoVersion    Status = 513
	StatusCancelled       Status = 514
	StatusRollbackFailed  Status = 516
	StatusAtomicTooLarge  Status = 517 // the answers to an Atomic do not fit into a message
)

// OK tells whether s means success: 2xx, and 419 and 418, which leave both sides with an item they agree on.
func (s Status) OK() bool {
	return s >= 200 && s < 300 || s == StatusServerWins || s == StatusExists
}

var statusText = map[Status]string{
	StatusInProgress: "busy", StatusBadRequest: "bad request", StatusInvalidCred: "invalid credentials",
	StatusForbidden: "forbidden", StatusNotFound: "not found", StatusNotAllowed: "not allowed",
	StatusUnsupported: "not supported", StatusCredMissing: "credentials required", StatusTimeout: "timeout", StatusConflict: "conflict",
	StatusGone: "gone", StatusSizeRequired: "size required", StatusIncomplete: "incomplete command",
	StatusTooLarge: "too large", StatusURITooLong: "URI too long", StatusMediaType: "unsupported content type", StatusObjectTooLarge: "object too large",
	StatusRetryLater: "retry later", StatusExists: "exists already", StatusFull: "device full",
	StatusBadFilter: "bad filter", StatusSizeMismatch: "size mismatch", StatusPermission: "permission denied",
	StatusFailed: "command failed", StatusNotImplemented: "not implemented", StatusDTDVersion: "unsupported DTD version",
	StatusProcessing: "processing error", StatusRefreshRequired: "slow sync required", StatusCannotResume: "cannot resume", StatusStoreFailure: "data store failure",
	StatusServerFailure: "server failure", StatusProtoVersion: "unsupported protocol version", StatusCancelled: "cancelled",
	StatusUserCancelled: "cancelled by the user", StatusNotExecuted: "not executed", StatusRolledBack: "rolled back", StatusNotModified: "not modified",
	StatusAtomicFailed: "atomic failed", StatusRollbackFailed: "rollback failed",
	StatusAtomicTooLarge: "answers do not fit",
}

// Error makes a status usable as error text, e.g. "401 (invalid credentials)".
func (s Status) Error() string {
	if t := statusText[s]; t != "" {
		return fmt.Sprintf("%d (%s)", int(s), t)
	}
	return strconv.Itoa(int(s))
}

// Anchors are the sync anchors of one datastore as one side names them: Last of the previous sync ("" before the
// first), Next of the running one. They are compared for equality only (protocol.md C.4).
type Anchors struct{ Last, Next string }

// Ending says how a logical session ended. The change request uses four verbs for four different things.
type Ending string

// The endings (requirements.md, terms). Finalized is a normal end, when the device is removed from
// the server, Closed is the client's when Always-On
// is switched off (T3), Destroyed follows permanent loss (L5) or changed connectivity (S12) or a run-out lease (N10),
// Terminated is the server's on invalid credentials (A2).
const (
	Finalized  Ending = "finalized"
	Closed     Ending = "closed"
	Destroyed  Ending = "destroyed"
	Terminated Ending = "terminated"
)

// Version is how the sides name a version of an item's body on the wire (Meta/Version): 128 bits of its SHA-256.
func Version(body []byte) string { return VersionOf(sha256.Sum256(body)) }

// VersionUnknown is the base of a change of which the device does not know what it was made from: it contradicts every version.
const VersionUnknown = "?"

// VersionOf is Version for a body whose SHA-256 is known.
func VersionOf(sum [sha256.Size]byte) string { return base64.RawURLEncoding.EncodeToString(sum[:16]) }
