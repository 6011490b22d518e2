// One conversation of a check with a server, without the wire: octets in, octets and at last an
// outcome out. Everything that a server may say is doubted here; probers only carry. Pure, so that
// each protocol is tried, and fuzzed, without a socket.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/health/probe.h"

namespace fulcrum {

// What is to be done now: something to send, perhaps nothing; with an outcome the conversation is
// over once that has been sent.
struct DialogueTurn {
    std::string send;
    std::optional<ProbeOutcome> outcome;
    bool starts_tls = false;  // the connection goes on within TLS, and so does what is to be sent
};

class Dialogue {
  public:
    Dialogue() = default;
    Dialogue(const Dialogue&) = delete;
    Dialogue& operator=(const Dialogue&) = delete;
    virtual ~Dialogue() = default;

    // The connection stands, over TLS its handshake too; by datagrams, at once.
    virtual DialogueTurn begin() = 0;
    // Of a stream, whatever has come; else one datagram.
    virtual DialogueTurn on_received(std::string_view octets) = 0;
    // The server has closed its side.
    virtual ProbeOutcome on_end() = 0;
    // The time is over.
    virtual ProbeOutcome on_timeout() = 0;
};

// For checks over TCP, TLS and UDP that libcurl does not carry; null for others.
std::unique_ptr<Dialogue> make_dialogue(const ProbeSpec& spec);

DialogueTurn say(std::string octets);
DialogueTurn listen_on();
// Within TLS from here on. What the server has said before its time is no good sign.
DialogueTurn say_within_tls(std::string octets, const std::string& said_before);
DialogueTurn succeed(std::string sentence, std::string last_words = "");
DialogueTurn fail(std::string sentence);

// What most have in common: the answer gathered, within answer_size_max, and sentences for the end
// and the timeout.
class GatheringDialogue : public Dialogue {
  public:
    explicit GatheringDialogue(const ProbeSpec& spec)
        : timeout_outcome_{outcome_of_timeout(spec)} {}

    DialogueTurn on_received(std::string_view octets) final;
    ProbeOutcome on_end() override;
    ProbeOutcome on_timeout() override;

  protected:
    // More has come. May take away from the front of `answer` what it is done with.
    virtual DialogueTurn on_answer(std::string& answer) = 0;
    const std::string& answer() const { return answer_; }

  private:
    std::string answer_;
    bool has_heard_ = false;
    ProbeOutcome timeout_outcome_;
};

}  // namespace fulcrum
