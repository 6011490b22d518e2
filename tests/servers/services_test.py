"""Checks of mail, web, file, telephone and news servers, most of them within TLS."""

from labkit.lab import end
from real_server import NAME, RealServer, certify, is_up_and_refuses, judged

POSTFIX = "/usr/lib/postfix/sbin"


class Certified(RealServer):
    """A server with a certificate of its own, by which its check knows it."""
    known_by = {"host": NAME, "verify": True}

    @classmethod
    def set_up_server(cls):
        cls.home.chmod(0o755)
        cls.node.run(*certify(cls.home))
        cls.check = {**cls.check, **cls.known_by, "ca_file": str(cls.home / "certificate.pem")}


class Postfix(Certified):
    """Of several processes, of which the first one takes the others along when it ends."""

    @classmethod
    def set_up_server(cls):
        super().set_up_server()
        folder, spool = cls.home / "etc", cls.home / "spool"
        for each in (folder, spool, cls.home / "data"):
            each.mkdir()
        (folder / "main.cf").write_text(
            f"compatibility_level = 3.6\nqueue_directory = {spool}\n"
            f"data_directory = {cls.home}/data\nmyhostname = {NAME}\n"
            "inet_protocols = ipv4\nsmtpd_peername_lookup = no\nmynetworks = 0.0.0.0/0\n"
            f"smtpd_tls_chain_files = {cls.home}/key.pem, {cls.home}/certificate.pem\n")
        (folder / "master.cf").write_text(
            "smtp inet n - n - - smtpd\n  -o smtpd_tls_security_level=encrypt\n"
            "465 inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n"
            "tlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\n"
            "anvil unix - - n - 1 anvil\nproxymap unix - - n - - proxymap\n"
            "postlog unix-dgram n - n - 1 postlogd\n")
        (cls.home / "data").chmod(0o777)
        cls.node.run("postfix", "-c", folder, "set-permissions", "create-missing")

    @classmethod
    def start_server(cls):
        # It ends the processes of its group, which has to be its own.
        return cls.serve("setsid", f"{POSTFIX}/master", "-d", "-c", cls.home / "etc")

    def has_ended(self):
        end(self.program)
        self.director.wait_state("web1", "down")


class Mail(Postfix):
    port = 25
    check = {"type": "smtp", "starttls": True}
    wrong = {"login": "probe", "password": "sesam"}
    refusal = "503"  # it knows nobody

    def test_it_is_up_and_a_login_where_nobody_logs_in_is_refused(self):
        is_up_and_refuses(self)

    def test_it_is_down_when_it_has_ended(self):
        self.has_ended()


class SecureMail(Postfix):
    port = 465
    check = {"type": "smtps"}
    wrong = {"host": "other.example.net"}
    refusal = "certificate"

    def test_it_is_up_and_another_name_than_the_certificates_is_refused(self):
        is_up_and_refuses(self)

    def test_it_is_down_when_it_has_ended(self):
        self.has_ended()


class Nginx(Certified):
    port = 443

    @classmethod
    def set_up_server(cls):
        super().set_up_server()
        (cls.home / "nginx.conf").write_text(f"""
            user root root;
            daemon off;
            master_process off;
            pid {cls.home}/pid;
            events {{ }}
            http {{
                access_log off;
                client_body_temp_path {cls.home}/body;
                proxy_temp_path {cls.home}/proxy;
                fastcgi_temp_path {cls.home}/fastcgi;
                uwsgi_temp_path {cls.home}/uwsgi;
                scgi_temp_path {cls.home}/scgi;
                server {{
                    listen {cls.port} ssl http2;
                    ssl_certificate {cls.home}/certificate.pem;
                    ssl_certificate_key {cls.home}/key.pem;
                    location / {{ return 200 "$server_protocol $host $ssl_server_name\\n"; }}
                }}
            }}""")

    @classmethod
    def start_server(cls):
        return cls.serve("nginx", "-p", cls.home, "-c", "nginx.conf", "-e", cls.home / "error.log")


@judged
class SecureWeb(Nginx):
    """Whose certificate is verified."""
    check = {"type": "https", "expect": f"HTTP/1.1 {NAME} {NAME}"}
    wrong = {"host": "other.example.net"}
    refusal = "certificate"


@judged
class StrangeWeb(Nginx):
    """Whose certificate is not: but its issuer is nobody whom the system trusts."""
    known_by = {}
    check = {"type": "https", "expect": "HTTP/1.1"}
    wrong = {"verify": True, "host": NAME, "ca_file": "/etc/ssl/certs/ca-certificates.crt"}
    refusal = "certificate"


@judged
class WebOfVersionTwo(Nginx):
    check = {"type": "https", "http2": True, "expect": f"HTTP/2.0 {NAME} {NAME}"}
    wrong = {"http2": False}
    refusal = "HTTP/2.0"  # which the answer lacks


@judged
class Files(Certified):
    port = 21
    check = {"type": "ftp", "starttls": True, "path": "/ready"}
    wrong = {"path": "/missing"}
    refusal = "550"

    @classmethod
    def set_up_server(cls):
        super().set_up_server()
        for name in ("files", "empty"):
            (cls.home / name).mkdir()
            (cls.home / name).chmod(0o555)
        (cls.home / "files/ready").write_text("ready\n")
        (cls.home / "vsftpd.conf").write_text(
            "listen=YES\nbackground=NO\nanonymous_enable=YES\nlocal_enable=NO\n"
            f"anon_root={cls.home}/files\nsecure_chroot_dir={cls.home}/empty\n"
            "seccomp_sandbox=NO\nisolate=NO\nisolate_network=NO\n"
            "ssl_enable=YES\nallow_anon_ssl=YES\nforce_anon_logins_ssl=YES\nssl_tlsv1=YES\n"
            f"rsa_cert_file={cls.home}/certificate.pem\nrsa_private_key_file={cls.home}/key.pem\n")

    @classmethod
    def start_server(cls):
        return cls.serve("vsftpd", cls.home / "vsftpd.conf")


class Telephone(RealServer):
    """Of several processes, none of which hangs when another one is stopped."""
    port = 5060
    check = {"type": "sip", "login": "probe"}
    wrong = {"login": "nobody"}
    refusal = "404"

    @classmethod
    def set_up_server(cls):
        (cls.home / "kamailio.cfg").write_text(
            'mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"\n'
            "children=1\nlog_stderror=yes\ndebug=1\nauto_aliases=no\n"
            f'listen=udp:0.0.0.0:{cls.port}\nloadmodule "sl.so"\nloadmodule "pv.so"\n'
            'loadmodule "sanity.so"\nloadmodule "maxfwd.so"\n'
            "request_route {\n"
            # As the file that comes with it looks requests through.
            '    if (!mf_process_maxfwd_header("10") || !sanity_check("17895", "7")) {\n'
            '        sl_send_reply("400", "Bad Request");\n        exit;\n    }\n'
            '    if (method == "OPTIONS" && $rU == "probe") {\n'
            '        sl_send_reply("200", "OK");\n    } else {\n'
            '        sl_send_reply("404", "Not Found");\n    }\n}\n')

    @classmethod
    def start_server(cls):
        return cls.serve("kamailio", "-DD", "-E", "-f", cls.home / "kamailio.cfg",
                         "-m", "16", "-M", "4", "-Y", cls.home, "-P", cls.home / "pid")

    def test_it_is_up_and_a_user_whom_it_does_not_know_is_refused(self):
        is_up_and_refuses(self)

    def test_it_is_down_when_it_has_ended(self):
        end(self.program)
        self.director.wait_state("web1", "down")


@judged
class News(RealServer):
    port = 119
    check = {"type": "nntp"}
    wrong = {"type": "imap"}
    refusal = "the server said"

    @classmethod
    def set_up_server(cls):
        cls.node.ip("route", "delete", "default")  # or it waits for its clients' names
        (cls.home / "allow").write_text("*\n")
        (cls.home / "users").touch()
        cls.write_groups(f"TALK A 2:205/454 {cls.home}/talk\n")

    @classmethod
    def write_groups(cls, text):
        (cls.home / "groups").write_text(text)

    @classmethod
    def start_server(cls):
        files = [word for name in ("allow", "groups", "users")
                 for word in (f"-{name}", cls.home / name)]
        return cls.serve("jamnntpd", "-port", str(cls.port), *files,
                         "-xlat", "/etc/jamnntpd.xlat", "-logfile", cls.home / "news.log")

    def test_it_is_down_while_it_has_no_groups_and_up_again(self):
        groups = (self.home / "groups").read_text()
        self.write_groups("")
        self.director.wait_state("web1", "down")
        self.assertIn("503", self.sentence())
        self.write_groups(groups)
        self.director.wait_state("web1", "up")
