package network

import "aerie/services/label"

// Kinds tell label what here carries labels.
func (s *Service) Kinds(l *label.Service) {
	l.Kind(label.Kind{
		Name: "Network", Entity: "NETWORK", Can: label.Tags | label.Details | label.Icons, Model: &Network{}, Column: "name",
		Find: label.Owned(s.db, func(n Network) string { return n.Name }),
	})
	l.Kind(label.Kind{
		Name: "PublicIpAddress", Entity: "PUBLIC_IP_ADDRESS", Can: label.Tags | label.Details, Model: &PublicIP{}, Column: "address",
		Find: label.Owned(s.db, func(ip PublicIP) string { return ip.Address }),
	})
	l.Kind(label.Kind{
		Name: "DomainRouter", Entity: "VR", Model: &Router{}, Column: "name", Find: label.Owned(s.db, func(r Router) string { return r.Name }),
	})
	l.Kind(label.Kind{
		Name: "NetworkOffering", Entity: "NETWORK_OFFERING", Can: label.Details, Model: &Offering{}, Column: "name",
		Find: label.Operators(s.db, func(o Offering) string { return o.Name }),
	})
}
