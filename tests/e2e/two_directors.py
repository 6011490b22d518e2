"""A second director in the laboratory, with the first one's configuration under another name, its
ports beside the first one's and not yet plugged in, and a cable between the two for what they tell
each other:

    bridge "wan" ─── eth0 [director] eth1 ─── bridge "lan"
                      pair │ 10.9.0.1
                      pair │ 10.9.0.2
                  ─── eth0 [other]    eth1 ───
"""

from types import SimpleNamespace

from labkit.director import Director, build_folder
from labkit.lab import run

A, B = "10.9.0.1", "10.9.0.2"
PEER_PORT = 8849


class Seated(Director):
    """A director in another node than the lab's own."""

    def __init__(self, lab, node, config):
        folder = lab.folder / node.name
        folder.mkdir(exist_ok=True)
        super().__init__(SimpleNamespace(folder=folder, directors=[node]), config)
        self.socket = config["control"]["socket"]


class TwoDirectors:
    """Both, running. `config` is a function of the director's name."""

    def __init__(self, lab, config):
        self.lab = lab
        other = lab._node("other")
        for bridge, interface in (("wan", "eth0"), ("lan", "eth1")):
            lab._plug(other, bridge, interface)
            run("ip", "link", "set", f"other-{interface}", "nomaster")
        self.cable = ("link", "set", "pair")
        run("ip", "link", "add", "pair", "netns", "director", "type", "veth",
            "peer", "name", "pair", "netns", "other")
        for node, address in ((lab.director, A), (other, B)):
            node.ip("address", "add", f"{address}/30", "dev", "pair")
            node.ip("link", "set", "pair", "up")
        self.key = lab.folder / "pair.key"
        lab.director.run(build_folder() / "controlplane/fulcrumctl", "pair-key", self.key)
        self.a = Seated(lab, lab.director, self._paired(config("a"), "b", A, B))
        self.b = Seated(lab, other, self.paired_b(config("b")))

    def paired_b(self, config):
        """The second one's configuration, complete."""
        return self._paired(config, "a", B, A)

    def _paired(self, config, peer, local, remote):
        name = config["director"]["name"]
        return config | {
            "metrics": {"listen": "127.0.0.1:9464"},
            "control": {"socket": f"/run/fulcrum-{name}/control.sock"},
            "pair": {"peer": peer, "key": str(self.key),
                     "links": [{"local": f"{local}:{PEER_PORT}", "peer": f"{remote}:{PEER_PORT}"}]},
        }

    def cut_cable(self, is_cut):
        self.lab.director.ip(*self.cable, "down" if is_cut else "up")

    def plug_in_other(self):
        """Takes the first director off its bridges and puts the second one in its place, as a
        takeover of addresses would."""
        for bridge, interface in (("wan", "eth0"), ("lan", "eth1")):
            run("ip", "link", "set", f"director-{interface}", "nomaster")
            run("ip", "link", "set", f"other-{interface}", "master", f"br-{bridge}")
        for node in (self.lab.client, *self.lab.web.values()):
            node.ip("neighbour", "flush", "dev", "eth0")
