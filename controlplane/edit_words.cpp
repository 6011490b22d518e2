// Colons, which names may not hold, become underscores.
#include "controlplane/edit_words.h"

#include <algorithm>

#include "config/wording.h"

namespace fulcrum {
namespace {

// As much of the address as names may hold, so that it begins with a letter or a digit.
std::string in_name(const IpAddress& address) {
    std::string text = to_string(address);
    std::ranges::replace(text, ':', '_');
    return text.starts_with('_') ? "0" + text : text;
}

}  // namespace

// NOLINTNEXTLINE(misc-no-recursion)
Node node_of(std::string_view name, const Json& json) {
    Node node;
    node.name = name;
    if (json.is_object() || json.is_array()) {
        const bool is_list = json.is_array() && !json.empty() && json.front().is_object();
        node.kind = json.is_object() ? NodeKind::group : is_list ? NodeKind::list : NodeKind::array;
        for (auto at = json.begin(); at != json.end(); ++at) {
            node.children.push_back(
                node_of(json.is_object() ? std::string_view{at.key()} : std::string_view{}, *at));
        }
    } else if (json.is_string()) {
        node.kind = NodeKind::text;
        node.text = json.get_ref<const std::string&>();
    } else if (json.is_boolean()) {
        node.kind = NodeKind::boolean;
        node.integer = json.get<bool>() ? 1 : 0;
    } else {
        node.kind = json.is_number_integer() ? NodeKind::integer : NodeKind::floating;
        node.integer = json.is_number_integer() ? json.get<std::int64_t>() : 0;
    }
    return node;
}

std::vector<std::string> keys_of(const VirtualService& service) {
    std::vector<std::string> keys;
    const std::vector<Listener> listeners = listeners_of(service);
    for (std::size_t i = 0; i + service.marked.size() < listeners.size(); ++i) {
        keys.push_back(to_string(listeners[i]));
    }
    if (service.mark != 0) {
        keys.push_back("mark " + std::to_string(service.mark));
    }
    if (service.mark6 != 0) {
        keys.push_back("mark6 " + std::to_string(service.mark6));
    }
    return keys;
}

std::string name_for_service(const VirtualService& service) {
    const std::vector<Listener> listeners = listeners_of(service);
    if (listeners.empty()) {
        std::string name = keys_of(service).front();
        std::ranges::replace(name, ' ', '-');
        return name;
    }
    const Listener& listener = listeners.front();
    return std::string{to_string(listener.protocol)}
        .append("-")
        .append(in_name(listener.vip.address))
        .append("-")
        .append(to_string(listener.ports));
}

std::string name_for_real(const Endpoint& endpoint) {
    const std::string address = in_name(endpoint.address);
    return endpoint.port.host() == 0 ? address
                                     : address + "-" + std::to_string(endpoint.port.host());
}

std::string unlike(const std::set<std::string_view>& taken, const std::string& wanted) {
    std::string name = wanted;
    for (unsigned count = 2; taken.contains(name); ++count) {
        name = wanted + "-" + std::to_string(count);
    }
    return name;
}

std::string no_such(const std::string& what, std::string_view name,
                    const std::vector<std::string_view>& names) {
    constexpr std::size_t listed_max = 10;
    std::string sentence = "there is no " + what + " " + in_quotes(name);
    if (const std::string_view nearest = nearest_word(name, names); !nearest.empty()) {
        return sentence + ": did you mean " + in_quotes(nearest) + "?";
    }
    for (std::size_t i = 0; i < std::min(names.size(), listed_max); ++i) {
        sentence += (i == 0 ? ": there are " : ", ") + std::string{names[i]};
    }
    return sentence + (names.size() > listed_max ? ", ..." : "");
}

}  // namespace fulcrum
