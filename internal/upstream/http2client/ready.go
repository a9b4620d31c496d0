package http2client

// Ready blocks until Read would return at once. It returns nil then, whatever
// Read would say, and the error of a deadline that passes before.
func (s *Stream) Ready() error {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	for s.body.empty() && s.readErr == nil {
		if err := s.in.expired(); err != nil {
			return err
		}
		s.in.await()
	}
	return nil
}
