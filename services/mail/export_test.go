package mail

import "crypto/x509"

// Trust makes the service trust other certificates than the system's.
func (s *Service) Trust(pool *x509.CertPool) { s.trust = pool }
