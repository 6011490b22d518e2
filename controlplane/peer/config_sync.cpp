// Who sends, what is taken, and what stands in the way.
#include "controlplane/peer/config_sync.h"

#include <algorithm>
#include <utility>

#include "config/wording.h"

namespace fulcrum {
namespace {

// Before the octets of a piece: its kind, and the numbers of a ConfigPart.
constexpr std::size_t piece_max = PeerChannel::message_max - 1 - 24;
// Sessions find room beside it.
constexpr std::size_t room_left = PeerStream::window / 2;

void note(ConfigSyncReport::Latest& latest, const ConfigVerdict& verdict) {
    latest.passage = verdict.is_applied ? ConfigPassage::applied : ConfigPassage::refused;
    latest.version = verdict.version;
    latest.epoch = verdict.epoch;
    latest.sentences = verdict.sentences;
    ++(verdict.is_applied ? latest.applied : latest.refused);
}

}  // namespace

void ConfigSync::set_own(const ConfigStanding& standing, std::shared_ptr<const std::string> text) {
    own_ = standing;
    text_ = std::move(text);
    has_told_own_ = false;
}

void ConfigSync::meet(Instant now) {
    ++session_;
    met_ = now;
    peers_.reset();
    has_told_own_ = false;
    sending_.reset();
    heard_so_far_.clear();
    hearing_of_ = {};
    answers_.clear();
    told_.passage = ConfigPassage::none;
}

void ConfigSync::pump() {
    while (!answers_.empty() && channel_.free_count() > 0) {
        channel_.send(verdict_message(answers_.front()));
        answers_.pop_front();
    }
    if (!has_told_own_ && own_.checksum != 0 && channel_.free_count() > 0) {
        channel_.send(standing_message(own_));
        has_told_own_ = true;
    }
    const bool was_told = told_.passage != ConfigPassage::none && told_.version == own_.version;
    if (differs() && !was_told && own_.version > peers_->version && doors_.is_active()) {
        begin_sending();
    }
    while (sending_ != nullptr && channel_.free_count() > room_left) {
        ConfigPart part{.of = sending_of_,
                        .length = static_cast<std::uint32_t>(sending_->size()),
                        .offset = static_cast<std::uint32_t>(sent_),
                        .octets = sending_->substr(sent_, piece_max)};
        sent_ += part.octets.size();
        channel_.send(part_message(part));
        if (sent_ == sending_->size()) {
            sending_.reset();
        }
    }
}

void ConfigSync::hear(const ConfigStanding& standing) {
    peers_ = standing;
    if (own_.checksum == standing.checksum && own_.version < standing.version) {
        own_ = standing;
        has_told_own_ = false;
        doors_.agree(standing);
    }
}

// In the place of an earlier version, wherever that is.
void ConfigSync::begin_sending() {
    sending_ = text_;
    sending_of_ = own_;
    sent_ = 0;
    told_.passage = ConfigPassage::on_its_way;
    told_.version = own_.version;
    told_.epoch = 0;
    told_.sentences.clear();
}

void ConfigSync::hear(const ConfigPart& part) {
    if (part.offset == 0) {
        hearing_of_ = part.of;
        heard_so_far_.clear();
    }
    if (part.of != hearing_of_ || part.offset != heard_so_far_.size()) {
        return;  // of one that has made way for another
    }
    heard_so_far_ += part.octets;
    if (heard_so_far_.size() == part.length) {
        judge_whole();
    }
}

void ConfigSync::judge_whole() {
    ConfigVerdict verdict{.version = hearing_of_.version};
    std::string text = std::exchange(heard_so_far_, {});
    if (doors_.is_active()) {
        verdict.sentences = {"this director is active, too"};
        return answer(std::move(verdict));
    }
    if (hearing_of_.version <= own_.version) {
        verdict.sentences = {"this director has a later one, of " + to_string(own_.version)};
        return answer(std::move(verdict));
    }
    heard_.passage = ConfigPassage::on_its_way;
    heard_.version = hearing_of_.version;
    doors_.apply(std::move(text), hearing_of_.version,
                 [this, session = session_](ConfigVerdict judged) {
                     if (session == session_) {
                         answer(std::move(judged));
                     } else {
                         note(heard_, judged);
                     }
                 });
}

void ConfigSync::answer(ConfigVerdict verdict) {
    note(heard_, verdict);
    answers_.push_back(std::move(verdict));
}

void ConfigSync::hear(const ConfigVerdict& verdict) {
    if (verdict.version == told_.version) {
        note(told_, verdict);
    }
}

ConfigSyncReport ConfigSync::report(Instant now) const {
    return {.own = own_, .peer = peers_, .told = told_, .heard = heard_, .problems = problems(now)};
}

std::vector<std::string> ConfigSync::problems(Instant now) const {
    std::vector<std::string> sentences;
    const std::string label = "pair: replicate_config: ";
    const std::string peer = "the director " + in_quotes(peer_);
    if (session_ != 0 && !peers_ && now - met_ > patience) {
        sentences.push_back(label + peer +
                            " takes no part: say pair.replicate_config = true in "
                            "its file, too, and restart it");
    }
    if (told_.passage == ConfigPassage::applied && !told_.sentences.empty()) {
        sentences.push_back(label + peer + ": " + told_.sentences.front());
    }
    if (!differs()) {
        return sentences;
    }
    if (told_.passage == ConfigPassage::refused && told_.version == own_.version) {
        sentences.push_back(label + peer + " refuses the configuration of " +
                            to_string(own_.version) + ": " + told_.sentences.front());
    } else if (heard_.passage == ConfigPassage::refused && heard_.version == peers_->version) {
        sentences.push_back(label + "the configuration of " + peer +
                            " was refused here: " + heard_.sentences.front());
    } else if (own_.version <= peers_->version && doors_.is_active()) {
        sentences.push_back(label + peer +
                            ", which is not active, has the later configuration, of " +
                            to_string(peers_->version) +
                            ", and keeps it: hand over to it by "
                            "fulcrumctl standby, or make the next change here, and one goes over");
    }
    return sentences;
}

}  // namespace fulcrum
