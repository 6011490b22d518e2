// The common part of the configuration (common_part.h) goes from the active director to the other
// one. Each says which version it runs; where the two differ, and the active one's is the later,
// the active one sends its own, piece by piece, and hears what became of it:
//
//     active                          standby
//       standing ─────────────────────► ◄─────────────────── standing
//       part, part, part ─────────────► validate, apply, write the file
//                                      ◄─────────────────── verdict, standing
//
// A version is sent once in a session of the channel: one that was refused is not told again and
// again, and what an operator changes at the standby stays, as a difference that both tell of,
// until the active one has news. A standby that has the later version keeps it: its director may
// have been active and changed while this one was away. Pure but for its doors; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/time.h"
#include "controlplane/peer/config_wire.h"
#include "controlplane/peer/peer_channel.h"

namespace fulcrum {

// What became of the latest one: of ours there, of the peer's here.
enum class ConfigPassage : std::uint8_t { none, on_its_way, applied, refused };
constexpr std::string_view to_string(ConfigPassage passage) {
    switch (passage) {
        case ConfigPassage::on_its_way:
            return "on its way";
        case ConfigPassage::applied:
            return "applied";
        case ConfigPassage::refused:
            return "refused";
        case ConfigPassage::none:
            break;
    }
    return "none";
}

struct ConfigSyncReport {
    struct Latest {
        ConfigPassage passage = ConfigPassage::none;
        ConfigVersion version;
        std::uint64_t epoch = 0;             // where it was applied
        std::vector<std::string> sentences;  // as in ConfigVerdict
        std::uint64_t applied = 0;           // since the start
        std::uint64_t refused = 0;
    };

    ConfigStanding own;
    std::optional<ConfigStanding> peer;  // since both talk
    Latest told;                         // by us to the peer
    Latest heard;                        // by us from the peer
    std::vector<std::string> problems;
};

class ConfigSync {
  public:
    // Who has not told its version for so long does not take part.
    static constexpr Duration patience = 5s;

    struct Doors {
        // Whether this director is the one whose configuration counts.
        std::function<bool()> is_active;
        // Both serve the same, and the peer has done so under this later version.
        std::function<void(const ConfigStanding& peers)> agree;
        using Judged = std::function<void(ConfigVerdict)>;
        // To be validated, applied and written; judged() is called once, some time.
        std::function<void(std::string text, ConfigVersion version, Judged judged)> apply;
    };

    ConfigSync(PeerChannel& channel, std::string peer, Doors doors)
        : channel_{channel}, peer_{std::move(peer)}, doors_{std::move(doors)} {}

    // What this director runs, and its common part as text.
    void set_own(const ConfigStanding& standing, std::shared_ptr<const std::string> text);

    // The peer has just started, or we have.
    void meet(Instant now);
    // Says what is to be said. To be called again and again while the channel is up.
    void pump();
    void hear(const ConfigStanding& standing);
    void hear(const ConfigPart& part);
    void hear(const ConfigVerdict& verdict);

    ConfigSyncReport report(Instant now) const;

  private:
    bool differs() const {
        return peers_ && own_.checksum != 0 && peers_->checksum != own_.checksum;
    }
    void begin_sending();
    void judge_whole();
    void answer(ConfigVerdict verdict);
    std::vector<std::string> problems(Instant now) const;

    PeerChannel& channel_;
    std::string peer_;
    Doors doors_;

    ConfigStanding own_;
    std::shared_ptr<const std::string> text_;
    bool has_told_own_ = false;
    std::optional<ConfigStanding> peers_;
    Instant met_{};

    std::shared_ptr<const std::string> sending_;  // null: nothing
    ConfigStanding sending_of_;
    std::size_t sent_ = 0;  // octets of it

    ConfigStanding hearing_of_;
    std::string heard_so_far_;
    std::deque<ConfigVerdict> answers_;
    std::uint64_t session_ = 0;  // counts meetings
    ConfigSyncReport::Latest told_;
    ConfigSyncReport::Latest heard_;
};

}  // namespace fulcrum
