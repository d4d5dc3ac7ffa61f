package managed

import (
	"maps"
	"time"
)

// OnProbation tells until when what holds has to prove itself; not ok if it need not.
func (s *Settings) OnProbation() (until time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.book.Probation == nil {
		return time.Time{}, false
	}
	return s.book.Probation.Until, true
}

// Proven ends the probation: server and broker were reached by what held after so many changes. If there was another since, that has to prove itself.
func (s *Settings) Proven(changes int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.book.Probation == nil || s.changes != changes {
		return nil
	}
	next := s.book.clone()
	next.Probation = nil
	if err := s.save(next); err != nil {
		return err
	}
	s.book = next
	return nil
}

// Return takes back what did not prove itself: the device comes back by itself with what worked before, and reports why (S10).
func (s *Settings) Return(why string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.book.Probation
	if p == nil {
		return nil
	}
	next := s.book.clone()
	next.Probation, next.Report = nil, map[string]string{}
	for key, value := range p.Former {
		if now, _ := s.live.Get(key); now != value {
			next.Report[key] = why
			seen, _ := s.file.Get(key)
			if seen == value {
				delete(next.Entries, key)
				continue
			}
			next.Entries[key] = Entry{Value: value, By: Back, At: s.now(), Seen: seen}
		}
	}
	live, err := s.file.With(next.over(s.file))
	if err != nil {
		return err
	}
	if err := s.save(next); err != nil {
		return err
	}
	s.book, s.live, s.reason = next, live, "the former settings are in use again: "+why
	s.tell()
	return nil
}

// Report is what the administrator has to be told of values that were taken back: why, by key.
func (s *Settings) Report() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.book.Report)
}

// Reported forgets what the administrator has been told of a key.
func (s *Settings) Reported(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.book.clone()
	if delete(next.Report, key); len(next.Report) == len(s.book.Report) {
		return nil
	}
	if err := s.save(next); err != nil {
		return err
	}
	s.book = next
	return nil
}
