// Kept short: who knows ipvsadm looks for a letter, who does not is better served by fulcrumctl.
#include "controlplane/ipvsadm/help.h"

namespace fulcrum {

std::string version_text() {
    return "ipvsadm v1.31 (Fulcrum " FULCRUM_VERSION ", for IPVS v1.2.1)\n";
}

std::string help_text(const std::string& program) {
    return "Usage: " + program + R"( COMMAND [OPTIONS]

Commands, of which one comes first:
  -A, --add-service SERVICE     [-s SCHEDULER] [-p [SECONDS]] [-M NETMASK] [-o] [-b FLAGS]
  -E, --edit-service SERVICE    the same; what is not said returns to its default
  -D, --delete-service SERVICE
  -C, --clear                   every service
  -a, --add-server SERVICE -r REAL    [-g|-i|-m|--fullnat] [-w WEIGHT] [-x UPPER] [-y LOWER]
  -e, --edit-server SERVICE -r REAL   the same; what is not said returns to its default
  -d, --delete-server SERVICE -r REAL
  -L, -l, --list [SERVICE]      [-n] [--stats|--rate|--thresholds|--persistent-conn|--tun-info]
                                [--exact] [--nosort], or -c, --timeout, --daemon
  -Z, --zero [SERVICE]          counters begin at zero
  -S, --save [-n] [--extended]  lines for --restore; --extended: with thresholds
  -R, --restore                 lines from standard input, all of them or none
  --set TCP TCPFIN UDP          timeouts in seconds; 0: as it is
  --start-daemon, --stop-daemon master|backup    there is none
  -h, --help    -v, --version

SERVICE is one of
  -t, --tcp-service HOST[:PORT]    -u, --udp-service HOST[:PORT]    --sctp-service HOST[:PORT]
  -f, --fwmark-service MARK [-6]   what the rules of `marks` in the file name

  -s, --scheduler      rr, wrr, lc, wlc, lblc, lblcr, dh, sh, mh, sed, nq, fo, ovf, twos or maglev;
                       without it wlc
  -p, --persistent     clients stay with their real for so long; without a number for 360 s
  -M, --netmask        of clients that count as one: 255.255.255.0, for IPv6 a length
  -o, --ops            one-packet scheduling, of UDP
  -b, --sched-flags    sh-fallback, sh-port, mh-fallback, mh-port, flag-1, flag-2
  -r, --real-server    HOST[:PORT]
  -g, --gatewaying     direct routing, the default      -m, --masquerading   NAT
  -i, --ipip           a tunnel; --tun-type ipip|gue|gre --tun-port PORT --tun-csum --tun-nocsum
  --fullnat            NAT of both ends
  -w, --weight         1 without it; 0: no new sessions
  -x, -y               --u-threshold, --l-threshold: sessions; 0: no limit
  -n, --numeric        addresses and ports as numbers
)";
}

}  // namespace fulcrum
