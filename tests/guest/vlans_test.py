"""VLANs of the director's ports against those of Debian's kernel (8021q): what its hosts tag by
themselves, and what they take of what the director tags. Once over the kernel's own interfaces, and
once over network cards that hold nothing of a tag but the frame's octets.
"""

import cards
from vlan_test import Vlans


def put_behind_8021q(node, number):
    """The host's eth0 is a VLAN from here on, of the interface that had this name before."""
    node.ip("address", "flush", "dev", "eth0")
    node.ip("link", "set", "eth0", "down")
    node.ip("link", "set", "eth0", "name", "trunk")
    node.run("ethtool", "-K", "trunk", "tso", "off")
    node.ip("link", "set", "trunk", "up")
    node.ip("link", "add", "link", "trunk", "name", "eth0", "type", "vlan", "id", str(number))
    node.sysctl("net/ipv6/conf/eth0/disable_ipv6", 0)
    node.ip("link", "set", "eth0", "up")


class KernelVlans(Vlans):
    put_in_vlan = staticmethod(put_behind_8021q)

    test_each_service_is_served_in_its_vlan = Vlans.test_each_service_is_served_in_its_vlan
    test_a_vip_is_announced_in_its_vlan_alone = Vlans.test_a_vip_is_announced_in_its_vlan_alone
    test_and_served_there_alone = Vlans.test_and_served_there_alone
    test_frames_of_full_size_pass = Vlans.test_frames_of_full_size_pass


class KernelVlansOverCards(KernelVlans):
    @classmethod
    def config(cls):
        return cards.on_cards(super().config(), "card")

    @classmethod
    def prepare(cls):
        cards.plug(cls.lab)
        super().prepare()

    test_each_service_is_served_in_its_vlan = Vlans.test_each_service_is_served_in_its_vlan
    test_and_served_there_alone = Vlans.test_and_served_there_alone
    test_frames_of_full_size_pass = Vlans.test_frames_of_full_size_pass
