"""Checks that begin TLS within the conversation, of real servers that let nobody in without it; and
one of logins.
"""

import os
import signal

from real_server import RealServer, certify, is_up_and_refuses, judged


def is_down_when_its_master_has_ended(test):
    os.kill(int((test.home / "run/master.pid").read_text()), signal.SIGTERM)
    test.director.wait_state("web1", "down")


def judged_as_several(scenario):
    """Of a server of several processes, none of which hangs when another one is stopped."""
    scenario.test_it_is_up_and_a_wrong_question_is_refused = is_up_and_refuses
    scenario.test_it_is_down_when_it_has_ended = is_down_when_its_master_has_ended
    return scenario


class Dovecot(RealServer):

    @classmethod
    def set_up_server(cls):
        cls.node.run(*certify(cls.home))
        cls.home.chmod(0o755)
        (cls.home / "dovecot.conf").write_text(
            f"protocols = imap pop3\nbase_dir = {cls.home}/run\n"
            f"log_path = {cls.home}/dovecot.log\nssl = required\n"
            f"ssl_cert = <{cls.home}/certificate.pem\nssl_key = <{cls.home}/key.pem\n"
            "disable_plaintext_auth = yes\nlisten = *\n"
            "passdb {\n  driver = static\n  args = password=sesam\n}\n"
            "userdb {\n  driver = static\n"
            f"  args = uid=nobody gid=nogroup home={cls.home}/mail\n}}\n"
            f"mail_location = maildir:{cls.home}/mail\n"
            "service imap-login {\n  inet_listener imaps {\n    port = 0\n  }\n}\n"
            "service pop3-login {\n  inet_listener pop3s {\n    port = 0\n  }\n}\n")
        (cls.home / "mail").mkdir()
        (cls.home / "mail").chmod(0o777)

    @classmethod
    def start_server(cls):
        return cls.serve("dovecot", "-F", "-c", cls.home / "dovecot.conf")


@judged_as_several
class Imap(Dovecot):
    port = 143
    check = {"type": "imap", "login": "probe", "password": "sesam", "starttls": True}
    wrong = {"starttls": False}
    refusal = "PRIVACYREQUIRED"


@judged_as_several
class Pop3(Dovecot):
    port = 110
    check = {"type": "pop3", "login": "probe", "password": "sesam", "starttls": True}
    wrong = {"starttls": False}
    refusal = "-ERR"


@judged
class SecureDirectory(RealServer):
    port = 389
    check = {"type": "ldap", "login": "cn=admin,dc=example,dc=net", "password": "sesam",
             "starttls": True}
    wrong = {"starttls": False}
    refusal = "result 13"  # confidentialityRequired

    @classmethod
    def set_up_server(cls):
        cls.node.run(*certify(cls.home))
        (cls.home / "data").mkdir()
        (cls.home / "slapd.conf").write_text(
            "include /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\n"
            'moduleload back_mdb\nsecurity tls=1\n'
            f"TLSCertificateFile {cls.home}/certificate.pem\n"
            f"TLSCertificateKeyFile {cls.home}/key.pem\n"
            'database mdb\nsuffix "dc=example,dc=net"\n'
            'rootdn "cn=admin,dc=example,dc=net"\nrootpw sesam\n'
            f"directory {cls.home}/data\n")

    @classmethod
    def start_server(cls):
        return cls.serve("slapd", "-f", cls.home / "slapd.conf", "-h", "ldap:///", "-d", "0")


@judged
class Radius(RealServer):
    port = 1812
    check = {"type": "radius", "login": "probe", "password": "sesam", "secret": "shared"}
    wrong = {"password": "wrong"}
    refusal = "Access-Reject"

    @classmethod
    def set_up_server(cls):
        cls.home.chmod(0o755)
        folder = cls.home / "raddb"
        folder.mkdir()
        (folder / "radiusd.conf").write_text(
            f"prefix = /usr\nlogdir = {cls.home}\nrun_dir = {cls.home}\nraddbdir = {folder}\n"
            "libdir = /usr/lib/freeradius\n"
            "modules {\n  pap {\n  }\n"
            f"  files {{\n    usersfile = {folder}/users\n  }}\n}}\n"
            "client any {\n  ipaddr = 0.0.0.0/0\n  secret = shared\n}\n"
            "server default {\n  listen {\n    type = auth\n    ipaddr = *\n    port = 1812\n  }\n"
            "  authorize {\n    files\n    pap\n  }\n  authenticate {\n    pap\n  }\n}\n")
        (folder / "users").write_text('probe Cleartext-Password := "sesam"\n')
        (folder / "dictionary").write_text("$INCLUDE /usr/share/freeradius/dictionary\n")

    @classmethod
    def start_server(cls):
        return cls.serve("freeradius", "-f", "-d", cls.home / "raddb", "-l", "stdout")
