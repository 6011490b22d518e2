// The answer comes back to where the request came from, by RFC 3581's rport: our own address need
// not be known here.
#include "controlplane/health/sip_dialogue.h"

#include "config/wording.h"
#include "controlplane/health/digests.h"

namespace fulcrum {
namespace {

std::string line_of(std::string_view octets) {
    return std::string{octets.substr(0, octets.find("\r\n")).substr(0, 100)};
}

}  // namespace

SipDialogue::SipDialogue(const ProbeSpec& spec)
    : call_id_{in_hexadecimal(random_octets(12)) + "@fulcrum.invalid"},
      timeout_outcome_{outcome_of_timeout(spec)} {
    const std::string user = spec.check.login.empty() ? "" : spec.check.login + "@";
    const std::string uri = "sip:" + user + to_string(spec.target);
    const std::string us = "<sip:check@fulcrum.invalid>";
    request_ = "OPTIONS " + uri + " SIP/2.0\r\n" +
               "Via: SIP/2.0/UDP fulcrum.invalid;rport;branch=z9hG4bK" +
               in_hexadecimal(random_octets(8)) + "\r\n" + "Max-Forwards: 70\r\n" + "From: " + us +
               ";tag=" + in_hexadecimal(random_octets(4)) + "\r\n" + "To: <" + uri + ">\r\n" +
               "Call-ID: " + call_id_ + "\r\n" + "CSeq: 1 OPTIONS\r\n" + "Contact: " + us + "\r\n" +
               "Accept: application/sdp\r\n" + "Content-Length: 0\r\n\r\n";
}

DialogueTurn SipDialogue::begin() { return say(request_); }

DialogueTurn SipDialogue::on_received(std::string_view octets) {
    if (octets.find(call_id_) == std::string_view::npos) {
        return listen_on();
    }
    const std::string line = line_of(octets);
    if (!line.starts_with("SIP/2.0 ")) {
        return fail("the answer " + in_quotes(line) + " is not SIP");
    }
    if (line.starts_with("SIP/2.0 1")) {
        return listen_on();  // provisional
    }
    return line.starts_with("SIP/2.0 200") ? succeed("SIP 200")
                                           : fail(line.substr(0, 3) + line.substr(7));
}

}  // namespace fulcrum
