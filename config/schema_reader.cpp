// The table, folded into groups once, then one walk over the tree. Where the walk is, for the
// sentences, is kept as a stack of groups and put into words only when something is wrong.
#include "config/schema_reader.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "config/schema.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

const SchemaKey& key_of(std::string_view path) {
    return *std::ranges::find(schema(), path, &SchemaKey::path);
}

// The keys of one group.
struct GroupPlan {
    struct Entry {
        const SchemaKey* key;
        std::unique_ptr<GroupPlan> inner;  // of a group, or of a list's elements
    };
    std::vector<Entry> entries;
    std::vector<std::string_view> names;
};

// `prefix` is the group's path with the dot behind it; empty for the root.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the table
std::unique_ptr<GroupPlan> plan_of(const std::string& prefix) {
    auto plan = std::make_unique<GroupPlan>();
    for (const SchemaKey& key : schema()) {
        if (!key.path.starts_with(prefix) || key.name().size() + prefix.size() != key.path.size()) {
            continue;
        }
        std::unique_ptr<GroupPlan> inner;
        if (key.type.kind == ValueKind::group) {
            inner = plan_of(std::string{key.path} + ".");
        } else if (key.type.kind == ValueKind::list) {
            inner = plan_of(std::string{key.path} + "[].");
        }
        plan->entries.push_back({&key, std::move(inner)});
        plan->names.push_back(key.name());
    }
    return plan;
}

class SchemaReader {
  public:
    // `source`: null when what is read stands in no file.
    SchemaReader(SchemaTarget& target, const SourceText* source, Findings& findings)
        : target_{target}, source_{source}, findings_{findings} {}

    void read_root(const Node& root) { read_keys(*plan_of(""), root); }
    void read_element(std::string_view list, const Node& group) {
        read_group({&key_of(list), plan_of(std::string{list} + "[].")}, group, 1);
    }
    void read_onto(std::string_view of, const Node& group) {
        is_change_ = true;
        const bool is_list = key_of(of).type.kind == ValueKind::list;
        read_keys(*plan_of(std::string{of} + (is_list ? "[]." : ".")), group);
    }

  private:
    // Where the walk is: a group, or an element of a list.
    struct Level {
        const SchemaKey* key;
        const Node* node;
        std::size_t ordinal;  // from 1; 0: no element
    };

    void read_keys(const GroupPlan& plan, const Node& group);
    void read_entry(const GroupPlan::Entry& entry, const Node& node);
    void read_group(const GroupPlan::Entry& entry, const Node& node, std::size_t ordinal);
    void read_list(const GroupPlan::Entry& entry, const Node& node);
    void read_array(const SchemaKey& key, const Node& node);
    void read_one(const SchemaKey& key, const Node& node);
    bool check_count(const SchemaKey& key, const Node& node);
    void refuse_unknown(const GroupPlan& plan, const Node& node);
    void refuse(unsigned line, const std::string& sentence) {
        findings_.refuse(place_of(line), label() + sentence);
    }
    SourcePlace place_of(unsigned line) const {
        return source_ == nullptr ? SourcePlace{} : source_->place_of(line);
    }
    bool is_missing(const SchemaKey& key, const Node& group) const;
    std::string label() const;

    SchemaTarget& target_;
    const SourceText* source_;
    Findings& findings_;
    bool is_change_ = false;  // of what is there: no key is required at the top
    std::vector<Level> levels_;
};

// NOLINTBEGIN(misc-no-recursion): as deep as the table
void SchemaReader::read_keys(const GroupPlan& plan, const Node& group) {
    for (const GroupPlan::Entry& entry : plan.entries) {
        const SchemaKey& key = *entry.key;
        if (const Node* node = group.child(key.name()); node != nullptr) {
            read_entry(entry, *node);
        } else if (is_missing(key, group)) {
            refuse(group.line, "the key " + std::string{key.name()} + " is missing: it holds " +
                                   describe(key.type));
        }
    }
    for (const Node& node : group.children) {
        if (std::find(plan.names.begin(), plan.names.end(), node.name) == plan.names.end()) {
            refuse_unknown(plan, node);
        }
    }
}

bool SchemaReader::is_missing(const SchemaKey& key, const Node& group) const {
    if (key.presence != Presence::required || (is_change_ && levels_.empty())) {
        return false;
    }
    return std::ranges::none_of(group.children, [&](const Node& beside) {
        const std::string padded = ", " + std::string{key.unless} + ",";
        return padded.find(", " + std::string{beside.name} + ",") != std::string::npos;
    });
}

void SchemaReader::read_entry(const GroupPlan::Entry& entry, const Node& node) {
    const ValueType& type = entry.key->type;
    if (type.kind == ValueKind::group) {
        read_group(entry, node, 0);
    } else if (type.kind == ValueKind::list) {
        read_list(entry, node);
    } else if (type.is_array) {
        read_array(*entry.key, node);
    } else {
        read_one(*entry.key, node);
    }
}

void SchemaReader::read_group(const GroupPlan::Entry& entry, const Node& node,
                              std::size_t ordinal) {
    if (node.kind != NodeKind::group) {
        const std::string which = ordinal == 0 ? "" : " element " + std::to_string(ordinal) + ":";
        refuse(node.line, std::string{entry.key->name()} + ":" + which + " " + describe(node) +
                              " is not a group { ... }");
        return;
    }
    levels_.push_back({entry.key, &node, ordinal});
    entry.key->store(target_, {.place = place_of(node.line)});
    read_keys(*entry.inner, node);
    levels_.pop_back();
}

void SchemaReader::read_list(const GroupPlan::Entry& entry, const Node& node) {
    const bool is_empty_array = node.kind == NodeKind::array && node.children.empty();
    if (node.kind != NodeKind::list && !is_empty_array) {
        refuse(node.line, std::string{entry.key->name()} + ": " + describe(node) + " is not " +
                              describe(entry.key->type));
        return;
    }
    if (!check_count(*entry.key, node)) {
        return;
    }
    std::size_t ordinal = 0;
    for (const Node& element : node.children) {
        read_group(entry, element, ++ordinal);
    }
}

// NOLINTEND(misc-no-recursion)

void SchemaReader::read_array(const SchemaKey& key, const Node& node) {
    if (node.kind != NodeKind::array && node.kind != NodeKind::list) {
        refuse(node.line,
               std::string{key.name()} + ": " + describe(node) + " is not " + describe(key.type));
        return;
    }
    if (!check_count(key, node)) {
        return;
    }
    for (const Node& element : node.children) {
        read_one(key, element);
    }
}

void SchemaReader::read_one(const SchemaKey& key, const Node& node) {
    const Result<Value> value = read_value(key.type, node);
    if (value) {
        key.store(target_, *value);
    } else {
        refuse(node.line, std::string{key.name()} + ": " + value.error().sentence);
    }
}

bool SchemaReader::check_count(const SchemaKey& key, const Node& node) {
    const auto count = static_cast<std::int64_t>(node.children.size());
    if (count >= key.type.count_least && count <= key.type.count_most) {
        return true;
    }
    refuse(node.line, std::string{key.name()} + ": has " + std::to_string(count) +
                          " elements, expected " + std::to_string(key.type.count_least) + " to " +
                          std::to_string(key.type.count_most));
    return false;
}

void SchemaReader::refuse_unknown(const GroupPlan& plan, const Node& node) {
    const std::string_view nearest = nearest_word(node.name, plan.names);
    std::string sentence = "unknown key " + in_quotes(node.name) + ": ";
    if (!nearest.empty()) {
        sentence += "did you mean " + in_quotes(nearest) + "?";
    } else {
        sentence += "known here are ";
        for (std::size_t i = 0; i < plan.names.size(); ++i) {
            sentence += (i == 0 ? "" : ", ") + std::string{plan.names[i]};
        }
    }
    refuse(node.line, sentence);
}

// 'service "web": real "web1": ' or, for lack of a name, 'service "web": real 3: '.
std::string SchemaReader::label() const {
    std::string result;
    for (const Level& level : levels_) {
        std::string_view noun = level.key->name();
        if (level.ordinal == 0) {
            result += std::string{noun} + ": ";
            continue;
        }
        noun.remove_suffix(noun.ends_with('s') ? 1 : 0);  // one of the services is a service
        const Node* const name = level.node->child("name");
        const bool has_name = name != nullptr && name->kind == NodeKind::text;
        result += std::string{noun} + " " +
                  (has_name ? in_quotes(name->text) : std::to_string(level.ordinal)) + ": ";
    }
    return result;
}

}  // namespace

Config read_by_schema(const Node& root, const SourceText& source, Findings& findings) {
    Config config;
    SchemaTarget target{config};
    SchemaReader{target, &source, findings}.read_root(root);
    return config;
}

void read_element(const Node& group, std::string_view list, SchemaTarget& target,
                  Findings& findings) {
    SchemaReader{target, nullptr, findings}.read_element(list, group);
}

void read_onto(const Node& group, std::string_view of, SchemaTarget& target, Findings& findings) {
    SchemaReader{target, nullptr, findings}.read_onto(of, group);
}

}  // namespace fulcrum
