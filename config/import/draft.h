// What an importer makes of an old file, line by line: services as they are to stand in ours, and a
// remark for every line that is not said there, or not as it was. One rule holds for all dialects:
// a line either shows in the configuration or has a remark. Values are held against the schema, so
// what a draft holds is what the loader takes. Pure; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/import/old_text.h"
#include "config/model/service.h"
#include "config/node.h"
#include "config/source_text.h"
#include "config/value_type.h"

namespace fulcrum {

struct Remark {
    enum class Kind : std::uint8_t {
        lost,      // what it asks for does not happen
        changed,   // it is said, with a difference that one should know
        needless,  // there is nothing to say: it happens by itself, or does not apply
    };
    Kind kind = Kind::lost;
    OldLine line;
    std::string why;
    std::string remedy;  // the nearest thing to do; may be empty
};

std::string_view to_string(Remark::Kind kind);

// How names become numbers. Either may be empty: then there are no names.
struct NameLookup {
    std::function<std::optional<IpAddress>(const std::string& name, IpFamily family)> host;
    std::function<std::optional<std::uint16_t>(const std::string& name)> port;
};

struct ImportSource {
    std::string path;
    std::string text;
    FileReader read_file;  // of files that it includes
    std::function<std::vector<std::string>(const std::string& pattern)> files_like;
    NameLookup names;
    // What a firewall mark stands for: the file says the number alone.
    std::map<std::uint32_t, std::vector<Listener>> marks;
};

struct Imported {
    Config config;  // without ports and workers, which no old file knows
    std::vector<Remark> remarks;
};

class Draft {
  public:
    explicit Draft(const ImportSource& source) : source_{source} {}

    void lost(const OldLine& line, std::string why, std::string remedy = "");
    void changed(const OldLine& line, std::string why, std::string remedy = "");
    void needless(const OldLine& line, std::string why);

    // Whether the schema's key takes the value; if not, the line is lost, in the key's own words.
    bool fits(const OldLine& line, std::string_view key, std::string_view text);
    bool fits(const OldLine& line, std::string_view key, std::int64_t number);
    // The same for a key of the service's check, and says it there. One of an array is added to it.
    // Who makes several checks makes each of them there, and takes it away.
    bool set(const OldLine& line, std::string_view check_key, std::string_view text);
    bool set(const OldLine& line, std::string_view check_key, std::int64_t number);
    bool set_seconds(const OldLine& line, std::string_view check_key, const std::string& text);
    // A program and its words, and what of ours comes behind them; false, and nothing is checked,
    // if it cannot be called.
    bool set_command(const OldLine& line, std::string_view text,
                     std::initializer_list<std::string_view> behind = {});
    // The kind of check by its word. If there is none of that kind, the line is lost, and the
    // nearest stands there: connect where there is TCP.
    bool set_check(const OldLine& line, std::string_view type);
    static bool knows_check(std::string_view type) {
        return word_of("services[].check.type", type).has_value();
    }

    // Which of the key's words it is.
    static std::optional<std::size_t> word_of(std::string_view key, std::string_view word);

    // An address that the key takes, or the host's; nothing, and the line is lost, if it is
    // neither.
    std::optional<IpAddress> address_of(const OldLine& line, const std::string& text,
                                        IpFamily family,
                                        std::string_view key = "services[].reals[].address");
    std::optional<IpAddress> vip_of(const OldLine& line, const std::string& text, IpFamily family) {
        return address_of(line, text, family, "services[].vip");
    }
    // 0 for "0". Nothing, and the line is lost, if it is no port and no service's name.
    std::optional<std::uint16_t> port_of(const OldLine& line, const std::string& text);
    std::optional<std::uint32_t> seconds_of(const OldLine& line, std::string_view key,
                                            const std::string& text);
    std::optional<std::uint32_t> whole_of(const OldLine& line, std::string_view key,
                                          const std::string& text);

    // What follows is about this service, until another one begins or is selected.
    VirtualService& begin_service(const OldLine& line, const std::string& name);
    VirtualService& service() { return config_.services[current_]; }
    std::size_t current() const { return current_; }
    void select(std::size_t index) { current_ = index; }
    // The service is not to be; it is the one begun last.
    void drop_service();
    void listen(Listener listener);  // port 0 is every port; the list has a bound
    // A service by its firewall mark. What the mark stands for is said outside of the old file: the
    // line is lost, and the service waits for its rules, if the source does not know them. False:
    // there is no service, as the mark is none.
    bool begin_marked_service(const OldLine& line, const std::string& name, const std::string& mark,
                              IpFamily family = IpFamily::v4);
    // The same for a service that has listeners of its own.
    void add_mark(const OldLine& line, const std::string& mark, IpFamily family);
    // The IP version of the current service's VIPs.
    IpFamily family() const;
    void set_scheduler(const OldLine& line, const std::string& name);
    void set_scheduler_flags(const OldLine& line, const std::string& names);  // after it
    void set_one_packet(const OldLine& line);                                 // after listen()
    void set_affinity(const OldLine& line, const std::string& seconds);
    void set_affinity_mask(const OldLine& line, const std::string& mask);  // dotted, or a length
    // Of the service's reals, or its fallback. Names are made of addresses where there are none.
    void add_real(const OldLine& line, RealServer real);
    void set_fallback(const OldLine& line, RealServer real);
    // What an answer has to match, if anything.
    void set_match(const OldLine& line, const std::string& regex);

    Config& config() { return config_; }
    void set_timeouts(const SessionTimeouts& timeouts);  // of all services, at the end
    const ImportSource& source() const { return source_; }
    // All lines are read: what fits together only now is settled here.
    Imported take();

  private:
    bool complete_real(const OldLine& line, RealServer& real);
    std::optional<Value> value_of(const OldLine& line, std::string_view key, const Node& node);
    bool store(const OldLine& line, std::string_view check_key, const Node& node);
    void settle_checks();
    void settle(Check& check, const OldLine& line, const RealServer* real);
    const OldLine& service_line() const { return service_lines_[current_]; }

    const ImportSource& source_;
    Config config_;
    std::size_t current_ = 0;
    std::vector<OldLine> service_lines_;  // of config_.services
    std::vector<Remark> remarks_;
};

}  // namespace fulcrum
