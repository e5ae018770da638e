package iam

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// dial connects to a directory and binds as the searching user. It fails closed:
// a StartTLS that is refused is an error, never a plain connection.
func (l LDAPServer) dial(ctx context.Context, password string) (*ldap.Conn, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(5 * time.Second)
	}
	conn, err := l.connect(ctx, time.Until(deadline))
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", l.Host, err)
	}
	conn.SetTimeout(time.Until(deadline))
	if l.BindDN == "" {
		return conn, nil
	}
	if err := conn.Bind(l.BindDN, password); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("bind at %s as the searching user: %w", l.Host, err)
	}
	return conn, nil
}

func (l LDAPServer) connect(ctx context.Context, timeout time.Duration) (*ldap.Conn, error) {
	conf, err := l.tls()
	if err != nil {
		return nil, err
	}
	raw, err := (&net.Dialer{Timeout: timeout}).DialContext(ctx, "tcp", net.JoinHostPort(l.Host, strconv.Itoa(l.Port)))
	if err != nil {
		return nil, err
	}
	// One deadline for all, handshakes included.
	if err := raw.SetDeadline(time.Now().Add(timeout)); err != nil {
		_ = raw.Close()
		return nil, err
	}
	if l.Security == LDAPS {
		secure := tls.Client(raw, conf)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, err
		}
		conn := ldap.NewConn(secure, true)
		conn.Start()
		return conn, nil
	}
	conn := ldap.NewConn(raw, false)
	conn.Start()
	if l.Security == Plain {
		return conn, nil
	}
	conn.SetTimeout(timeout)
	if err := conn.StartTLS(conf); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// tls verifies the server's name against the directory's own authorities, or
// the system's when it names none.
func (l LDAPServer) tls() (*tls.Config, error) {
	conf := &tls.Config{ServerName: l.Host, MinVersion: tls.VersionTLS12}
	if len(l.CAPEM) == 0 {
		return conf, nil
	}
	conf.RootCAs = x509.NewCertPool()
	if !conf.RootCAs.AppendCertsFromPEM(l.CAPEM) {
		return nil, fmt.Errorf("the certificate authorities of %s cannot be read", l.Host)
	}
	return conf, nil
}
