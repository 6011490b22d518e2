"""A new configuration under traffic: taken over without loss, or refused without a trace."""

import json

import packets
from labkit.capture import Capture
from labkit.director import config_text, director_config, web_service
from labkit.lab import VIP, WEB
from labkit.load import Load, by_real, failures
from scenario import Scenario

RELOAD_COUNT = 100


def resets(frames):
    return [packet for packet in packets.incoming(frames)
            if packet.protocol == packets.TCP and packet.flags & packets.RST]


class Reload(Scenario):
    def variant(self, number):
        """Another weight each time, and a second service that comes and goes."""
        services = [web_service()]
        services[0]["reals"][0]["weight"] = 1 + number % 3
        if number % 2:
            services.append(web_service(["web2", "web3"], name="second") | {"port": 8000})
        return director_config(services)

    def test_a_hundred_reloads_under_load_lose_no_connection_and_cause_no_reset(self):
        since = {name: real["since_s"] for name, real in self.director.reals().items()}
        at_client = Capture(self.lab.client, "eth0")
        short = Load(self.lab.client, VIP, parallel=4, pause=0.02)
        long = Load(self.lab.client, VIP, parallel=8, pause=0.05, keep_alive=True)
        epochs = set()
        for number in range(RELOAD_COUNT):
            self.director.write(self.variant(number))
            epochs.add(self.director.ask("reload")["epoch"])
        short_records, long_records = short.finish(), long.finish()
        frames = at_client.stop()
        self.assertEqual(len(epochs), RELOAD_COUNT)
        self.assertGreater(len(short_records), 100)
        self.assertGreater(len(long_records), 100)
        self.assertEqual(failures(short_records) + failures(long_records), [])
        self.assertEqual(resets(frames), [])
        for name, real in self.director.reals().items():  # no check flapped
            self.assertEqual(real["state"], "up")
            self.assertGreaterEqual(real["since_s"], since[name])

    def test_a_real_that_is_added_gets_connections_and_one_that_is_removed_none(self):
        config = self.config()
        del config["services"][0]["reals"][0]
        self.director.write(config)
        answer = self.director.ask("reload")
        self.assertTrue(any("web1" in change for change in answer["changes"]), answer)
        self.assertGreater(answer["slots_moved"]["web"], 0)
        self.assertEqual(set(self.fetch_many(200)), {"web2", "web3"})
        self.director.write(self.config())
        self.director.ask("reload")
        self.director.wait_state("web1", "up")
        self.assertEqual(set(self.fetch_many(200)), set(WEB))

    def test_an_invalid_file_is_refused_by_file_and_line_and_the_old_one_stays_in_force(self):
        self.director.write(self.config())
        self.director.ask("reload")
        epoch = self.director.ask("status")["epoch"]
        text = config_text(self.config()) + "\n"
        broken = text.replace('port = 8080;', 'port = 808080;', 1).replace(
            'scheduler = "maglev"', 'sheduler = "maglev"')
        lines = broken.splitlines()
        expected = [number for number, line in enumerate(lines, 1)
                    if "808080" in line or "sheduler" in line]
        self.director.write(broken)
        load = Load(self.lab.client, VIP, parallel=4, pause=0.005)
        answer = self.director.ctl("reload")
        records = load.finish()
        self.assertEqual(answer.returncode, 2)
        for number in expected:
            self.assertIn(f"director.cfg:{number}:", answer.stderr)
        status = self.director.ctl("status", "--json")
        self.assertEqual(json.loads(status.stdout)["epoch"], epoch)
        self.assertEqual(status.returncode, 1)  # what is in the file does not run
        self.assertEqual(failures(records), [])
        self.assertEqual(set(self.fetch_many(200)), set(WEB))

    def test_half_a_file_is_refused(self):
        text = config_text(self.config())
        self.director.write(text[:len(text) // 2])
        self.assertEqual(self.director.ctl("reload").returncode, 2)
        self.assertEqual(set(self.fetch_many(100)), set(WEB))

    def test_connections_of_a_removed_real_live_on(self):
        self.director.write(self.config())
        self.director.ask("reload")
        self.director.wait_all_up()
        load = Load(self.lab.client, VIP, parallel=12, pause=0.01, keep_alive=True)
        config = self.config()
        del config["services"][0]["reals"][1]
        self.director.write(config)
        self.director.ask("reload")
        self.director.write(self.config())
        self.director.ask("reload")
        records = load.finish()
        self.assertEqual(failures(records), [])
        self.assertGreater(len(by_real(records)), 1)
