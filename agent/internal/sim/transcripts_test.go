package sim_test

import (
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/sim"
	"github.com/alwayson-sync/alwayson/pim"
)

// transcript is a bug that was found, as the shortest world that shows it.
type transcript struct {
	name    string
	found   string // what was wrong when it was found
	devices int
	kind    pim.Kind
	script  string
}

// one is how a device comes to share an item with the server.
const one = "go a\n add a 0 0\n on a\n run a\n"

var transcripts = []transcript{
	{"an item is moved while the server has an edit of it",
		"dsserver notes that the device holds the server's bytes when it only told of a move: the edit never comes, and a later edit here overwrites it",
		1, pim.Contacts, one + "sedit a 0 1\n move a 0 3"},
	{"a message is flagged while the server has an edit of it", "see the one before", 1, pim.Mail, one + "sedit a 0 1\n flag a 0 1"},
	{"a file is renamed and edited before anybody looks", "dsserver holds back the deletion, and the item added in its place is matched with the one to be deleted",
		1, pim.Contacts, one + "rename a 0 0\n edit a 0 0"},
	{"a file is renamed and edited while the server has an edit of it",
		"an item that comes with the UID of another version is overwritten by it outside of a first sync, too",
		1, pim.Contacts, one + "sedit a 0 1\n rename a 0 0\n edit a 0 0"},
	{"the first message of a session comes late", "the former nonce is good for a replay: it opens a session, ends the one that is used, and starts a slow sync",
		1, pim.Contacts, "go a\n on a\n go a\n delay a\n linkup a\n run a\n arrive a"},
	{"a message with changes comes late", "see the one before", 1, pim.Contacts, one + "edit a 0 0\n go a\n go a\n delay a\n edit a 0 0\n wait a\n go a\n go a\n arrive a"},
	{"a session is closed while the password is refused", "session.Machine leaves Held, and tries the refused password again",
		1, pim.Contacts, "go a\n on a\n run a\n password a 1\n pass a 2\n run a\n close a"},
	{"Always-On is switched off while the password is refused", "session.Machine closes the session with the refused password",
		1, pim.Contacts, "go a\n on a\n run a\n password a 1\n pass a 2\n run a\n off a"},
	{"an item is deleted when the filter takes it away", "replica takes a file that is gone already for a deletion that is done",
		2, pim.Contacts, "go a\n add a 0 0\n add a 0 0\n on a\n run a\n filter a 5\n delete a 0"},
	{"an agent is killed while a filter takes an item away", "replica notes no intent of a deletion: what left the device only is then deleted everywhere",
		1, pim.Contacts, one + "sfilter a 5\n sync a\n go a\n go a\n kill a 0 0 @5\n go a"},
	{"an item is renamed when the server's deletion arrives", "see the one before", 1, pim.Contacts, one + "sdelete a 0\n sync a\n go a\n go a\n rename a 0\n run a"},
	// These two hold only as long as the server sends whole items for a move: pim.Batch.Reflag takes no stamp.
	{"a file is edited when the server moves it", "",
		1, pim.Contacts, one + "smove a 0 2\n sync a\n go a\n go a\n edit a 0 0\n deafen a 0\n run a"},
	{"a message is edited when the server flags it", "", 1, pim.Mail, one + "sflag a 0 1\n sync a\n go a\n go a\n edit a 0 0\n run a"},
	{"the power fails after an agent was killed before it synced the disk", "replica settles what it finds written, and does not sync it",
		1, pim.Contacts, one + "sadd a 0 0\n sync a\n go a\n go a\n kill a 0 0 @4\n go a\n go a\n power a 3\n run a"},
	{"an item is added again because the answer was lost, and deleted meanwhile", "reconcile takes what is sent again for an edit, which revives the item",
		1, pim.Contacts, "go a\n on a\n run a\n add a 0 0\n go a\n go a\n go a\n lose a\n sdelete a 0"},
	{"the disk cannot be synced while items arrive", "replica does not finish or give up what it planned before it applies changes again",
		1, pim.Contacts, "go a\n on a\n run a\n sadd a 0 0\n sync a\n go a\n go a\n fail a 0 1 @4\n go a\n linkup a"},
	{"an item arrives under the name of one that was moved away", "replica gives a name away that the index still has for another item",
		1, pim.Contacts, one + "sadd a\n sadd a\n sadd a\n sadd a\n sync a\n go a\n go a\n rename a 0\n run a"},
	{"an item arrives under the name of one that was deleted", "see the one before",
		1, pim.Contacts, "go a\n add a 0 0\n add a 0 0\n on a\n run a\n sadd a\n sadd a\n sadd a\n sync a\n go a\n go a\n delete a 0\n run a"},
	{"a moved message and a new one of its name", "replica gives a name away that the index still has for another item: the two never come to an end",
		2, pim.Mail, "go b\n add b 0 0\n on b\n run b\n sadd a\n sadd a\n sadd a\n sync b\n go b\n go b\n sadd a\n sedit a 0\n move b 0 4 @1\n deafen b 0\n go b"},
	{"flags are changed again while the answer is lost", "dsserver unites flags with what the device itself sent before, and does not tell it",
		1, pim.Mail, one + "edit a 0 0\n flag a 0 3\n go a\n go a\n go a\n lose a\n flag a 0 1"},
	{"an answer that tells of a merge is lost", "dsserver takes what is sent again for another conflict",
		1, pim.Contacts, one + "sedit a 0 1\n edit a 0 0\n go a\n go a\n go a\n lose a"},
	{"a map comes after the item was deleted", "what a late map is about is not looked at again",
		1, pim.Contacts, "go a\n on a\n run a\n sadd a 0 0\n sync a\n go a\n go a\n unmount a 0 0 @4\n sdelete a 0\n go a"},
	{"a filter is changed back while the answer to what left was lost", "dsserver still believes that the device has what it was told to remove",
		1, pim.Contacts, one + "sfilter a 5\n sync a\n go a\n go a\n go a\n lose a\n sfilter a 0"},
	{"an item is edited that arrived and could not be recorded", "replica forgets what it planned, and dsserver takes the edit for a first meeting: it is in the history only",
		3, pim.Contacts, "go a\n add a 7 8\n on a\n go c\n add c 2 1\n on c\n go a\n lose a\n run c 2 8\n sadd c 7 1\n sadd c 10 7\n fail a 11 1 @9\n wait c\n run a\n edit a 11 3"},
	{"a slow sync is cut off, and an item of it is renamed and edited", "dsserver takes what comes after a slow sync was cut off for a first meeting",
		3, pim.Contacts, "go a\n on a\n go b\n add b 7 3\n on b\n go a\n go a\n go a\n run b\n go a\n srecolor a 10 2\n go a\n rename a 9 7\n edit a 1 2\n kill a"},
	{"a move is taken back while its message is late", "replica does not tell the server of an edit that was taken back, which may have arrived",
		1, pim.Contacts, "go a\n add a 5 1\n on a\n run a\n wait a\n move a 0 3\n move a 0 11 @13\n go a\n add a 11 9\n go a\n go a\n add a 2 2\n go a\n delay a"},
	{"a message is moved when the server has deleted it", "replica deletes what the server has back",
		3, pim.Mail, "go a\n add a 4 4\n on a\n run a\n go b\n on b\n run b\n power b 8 10\n go b\n go b\n sdelete b 5 1\n go b\n go b\n move b 6 6"},
	{"an item that the filter leaves out is imported", "the simulator did not know that the server had an equal one of somebody else",
		3, pim.Contacts, "add a 2 0\n go c\n on c\n filter c 5 7\n import c 2 3"},
	{"an item is edited again before the conflict is told", "dsserver keeps a second copy with the edit that the first one has already",
		3, pim.Mail, "go a\n add a 2 2\n on a\n run a\n go b\n on b\n run b\n edit b 3 6\n go b\n sedit b 8 11\n go b\n edit b 3 4"},
	{"a message is flagged and unflagged while it is sent", "replica notes other marks than those it has sent",
		3, pim.Mail, "go b\n add b 0 2\n on b\n go b\n go b\n go b\n go b\n go b\n flag b 2 2\n go b\n flag b 5 10"},
	{"an answer that tells of a merge is lost, and the item is deleted on the server", "dsserver takes what comes again for a new edit, which revives the item",
		3, pim.Contacts, "go c\n add c 1 8\n on c\n run c\n sedit b 2 6\n recolor c 11 10\n go c\n go c\n go c\n sdelete b 11 0\n lose c"},
	{"a file is moved over the name of another one", "replica takes it for an edit of the other one, which lives on as a new item",
		3, pim.Contacts, "go a\n add a 3 0\n add a 4 8\n add a 3 1\n on a\n run a\n go b\n add b 6 4\n add b 2 3\n on b\n run b\n rename b 7 8 @7\n wait b\n go b\n move b 0 0\n delete a 7 10"},
	{"a deletion waits while the store is away and a filter takes the item away", "replica takes the user's deletion for its own",
		3, pim.Mail, "go b\n add b 8 6\n add b 8 5\n on b\n run b\n delete b 2 8\n unmount b 0 2\n filter b 8 0\n go b\n go b\n go b"},
	{"an item is added again because the answer was lost, and edited and deleted meanwhile", "reconcile takes what is sent again for an edit, which revives the item",
		1, pim.Contacts, "go a\n on a\n fail a 6 0 @12\n add a 9 9 @3\n sync a\n run a\n sadd a 10 5\n sdelete a 5 2\n sedit a 11 6\n sdelete a 6 0"},
}

// plan is the world of a transcript.
func (c *transcript) plan() sim.Plan {
	return sim.Plan{Seed: 1, Devices: c.devices, Kind: c.kind, Steps: sim.Script(c.script)}
}

// TestTranscripts plays what was found.
func TestTranscripts(t *testing.T) {
	for _, c := range transcripts {
		t.Run(c.name, func(t *testing.T) {
			p := player{t}
			if err := p.play(c.plan()); err != nil {
				t.Errorf("%v\n%s", err, p.trace(c.plan()))
			}
		})
	}
}

// found are seeds that broke, and whose shortest worlds need the ids of their seed.
var found = []uint64{1349, 11072, 11477, 11762, 13750, 13793, 15462, 17376, 18196, 18950}

// TestFoundSeeds plays them.
func TestFoundSeeds(t *testing.T) {
	p := player{t}
	for _, seed := range found {
		if err := p.play(sim.NewPlan(seed)); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}
