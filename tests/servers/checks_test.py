"""Checks against real servers: sound, wrongly asked, hung, and gone."""

import shutil

from real_server import RealServer, judged

POSTGRES = "/usr/lib/postgresql/15/bin"
LDIF = """dn: dc=example,dc=net
objectClass: dcObject
objectClass: organization
dc: example
o: example
"""


def as_user(user, *words):
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *words]


@judged
class Redis(RealServer):
    port = 6379
    check = {"type": "redis", "password": "sesam"}
    wrong = {"password": "wrong"}
    refusal = "WRONGPASS"

    @classmethod
    def start_server(cls):
        return cls.serve("redis-server", "--port", str(cls.port), "--dir", cls.home,
                         "--save", "", "--requirepass", "sesam", "--protected-mode", "no")


@judged
class Directory(RealServer):
    port = 389
    check = {"type": "ldap", "login": "cn=admin,dc=example,dc=net", "password": "sesam",
             "query": "dc=example,dc=net"}
    wrong = {"query": "dc=other,dc=net"}
    refusal = "noSuchObject"

    @classmethod
    def set_up_server(cls):
        (cls.home / "data").mkdir()
        (cls.home / "slapd.conf").write_text(
            "include /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\n"
            'moduleload back_mdb\ndatabase mdb\nsuffix "dc=example,dc=net"\n'
            'rootdn "cn=admin,dc=example,dc=net"\nrootpw sesam\n'
            f"directory {cls.home}/data\n")
        (cls.home / "entries").write_text(LDIF)
        cls.node.run("slapadd", "-f", cls.home / "slapd.conf", "-l", cls.home / "entries")

    @classmethod
    def start_server(cls):
        return cls.serve("slapd", "-f", cls.home / "slapd.conf", "-h", "ldap:///", "-d", "0")


@judged
class NameServer(RealServer):
    port = 53
    check = {"type": "dns", "query": "www.example.net", "expect": "www.example.net A 192.0.2.1"}
    wrong = {"query": "other.example.net"}
    refusal = "NXDOMAIN"

    @classmethod
    def set_up_server(cls):
        (cls.home / "unbound.conf").write_text(
            'server:\n  interface: 0.0.0.0\n  chroot: ""\n  username: ""\n  do-daemonize: no\n'
            f'  pidfile: "{cls.home}/pid"\n  access-control: 0.0.0.0/0 allow\n'
            '  local-zone: "example.net." static\n'
            '  local-data: "www.example.net. IN A 192.0.2.1"\n')

    @classmethod
    def start_server(cls):
        return cls.serve("unbound", "-c", cls.home / "unbound.conf")


@judged
class MariaDb(RealServer):
    port = 3306
    check = {"type": "mysql", "login": "probe", "password": "sesam", "query": "SELECT 1"}
    wrong = {"password": "wrong"}
    refusal = "1045 Access denied"

    @classmethod
    def set_up_server(cls):
        shutil.chown(cls.home, "mysql")
        cls.node.run("mariadb-install-db", "--no-defaults", f"--datadir={cls.home}/data",
                     "--user=mysql", "--skip-test-db",
                     "--auth-root-authentication-method=normal")
        (cls.home / "init").write_text("CREATE USER probe@'%' IDENTIFIED BY 'sesam';\n")

    @classmethod
    def start_server(cls):
        return cls.serve("mariadbd", "--no-defaults", f"--datadir={cls.home}/data",
                         "--user=mysql", f"--socket={cls.home}/socket",
                         f"--port={cls.port}", f"--init-file={cls.home}/init",
                         "--skip-name-resolve")


@judged
class Postgres(RealServer):
    port = 5432
    check = {"type": "pgsql", "login": "postgres", "password": "sesam", "query": "SELECT 1"}
    wrong = {"query": "SELECT 1 WHERE false"}
    refusal = "the query found no row"

    @classmethod
    def set_up_server(cls):
        shutil.chown(cls.home, "postgres")
        (cls.home / "password").write_text("sesam\n")
        cls.node.run(*as_user("postgres", f"{POSTGRES}/initdb", "-D", cls.home / "data",
                              "-A", "scram-sha-256", f"--pwfile={cls.home}/password"))
        with (cls.home / "data/pg_hba.conf").open("a") as rules:
            rules.write("host all all 0.0.0.0/0 scram-sha-256\n")

    @classmethod
    def start_server(cls):
        return cls.serve(*as_user("postgres", f"{POSTGRES}/postgres",
                                  "-D", cls.home / "data", "-k", cls.home,
                                  "-h", "0.0.0.0", "-p", str(cls.port)))
