package upstream

import "testing"

func TestHeadersThatMayHoldCredentials(t *testing.T) {
	for name, want := range map[string]bool{
		"private-token": true, "x-api-key": true, "x-hubspot-signature-v3": true, "x-auth": true, "x-session-id": true,
		"accept": false, "content-type": false, "user-agent": false, "x-request-id": false,
	} {
		if got := mayHoldCredential(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
