// The page that Prometheus reads, family by family, in the words that the families are told in: one
// way to begin a family, and one to add its samples. A part of metrics.
#pragma once

#include <prometheus/text_serializer.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace fulcrum {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

using Labels = std::vector<ClientMetric::Label>;

// A family is begun once; its samples follow.
class Page {
  public:
    void counter(const std::string& name, const std::string& help) {
        families_.push_back({"fulcrum_" + name, help, MetricType::Counter, {}});
    }
    void gauge(const std::string& name, const std::string& help) {
        families_.push_back({"fulcrum_" + name, help, MetricType::Gauge, {}});
    }
    ClientMetric& histogram_sample(const std::string& name, const std::string& help,
                                   Labels labels) {
        if (families_.back().name != "fulcrum_" + name) {
            families_.push_back({"fulcrum_" + name, help, MetricType::Histogram, {}});
        }
        families_.back().metric.emplace_back().label = std::move(labels);
        return families_.back().metric.back();
    }
    void sample(Labels labels, double value) {
        ClientMetric& metric = families_.back().metric.emplace_back();
        metric.label = std::move(labels);
        if (families_.back().type == MetricType::Counter) {
            metric.counter.value = value;
        } else {
            metric.gauge.value = value;
        }
    }
    void sample(Labels labels, std::uint64_t value) {
        sample(std::move(labels), static_cast<double>(value));
    }
    // Families without a sample are left out.
    std::string text() {
        std::erase_if(families_, [](const MetricFamily& family) { return family.metric.empty(); });
        return prometheus::TextSerializer{}.Serialize(families_);
    }

  private:
    std::vector<MetricFamily> families_;
};

}  // namespace fulcrum
