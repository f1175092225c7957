// The program connects to TLS servers as client-go does, and prints for each of them whether Go accepts it.
//
// It reads a JSON array of servers from standard input, and writes a JSON array of results in the same order to standard
// output: an empty string, or why the server was not accepted.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// server is a TLS server, and what a client knows of it.
type server struct {
	Address     string `json:"address"`
	Authorities string `json:"authorities"`
	ServerName  string `json:"serverName"`
	// Certificate and Key are empty if the client has none.
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

const timeout = 10 * time.Second

func main() {
	var servers []server
	if err := json.NewDecoder(os.Stdin).Decode(&servers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	results := make([]string, 0, len(servers))
	for _, server := range servers {
		result := ""
		if err := request(server); err != nil {
			result = err.Error()
		}
		results = append(results, result)
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		os.Exit(1)
	}
}

// request sends one request to the server. A server that speaks TLS 1.3 refuses the client's certificate only after that.
func request(s server) error {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(s.Authorities)) {
		return errors.New("the authorities contain no certificate")
	}
	config := &tls.Config{
		RootCAs:    roots,
		ServerName: s.ServerName,
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
	}
	if s.Certificate != "" {
		pair, err := tls.X509KeyPair([]byte(s.Certificate), []byte(s.Key))
		if err != nil {
			return err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	connection, err := tls.DialWithDialer(&net.Dialer{Timeout: timeout}, "tcp", s.Address, config)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if _, err := connection.Write([]byte("GET / HTTP/1.1\r\nHost: api\r\n\r\n")); err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}
