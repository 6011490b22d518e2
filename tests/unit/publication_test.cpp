// The door for snapshots: what readers see, and when what they have seen is freed. The last test
// has real threads, for the thread sanitizer's eyes.
#include "dataplane/publication.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <thread>

namespace fulcrum {
namespace {

// Its listeners all carry the epoch: a snapshot seen half or freed shows.
std::unique_ptr<Snapshot> snapshot_of(std::uint64_t epoch) {
    auto snapshot = std::make_unique<Snapshot>();
    snapshot->epoch = epoch;
    snapshot->listeners.resize(100);
    for (SnapshotListener& listener : snapshot->listeners) {
        listener.first_real = static_cast<std::uint32_t>(epoch);
    }
    snapshot->paths = std::make_shared<const Paths>();
    return snapshot;
}

bool is_whole(const Snapshot& snapshot) {
    for (const SnapshotListener& listener : snapshot.listeners) {
        if (listener.first_real != static_cast<std::uint32_t>(snapshot.epoch)) {
            return false;
        }
    }
    return snapshot.listeners.size() == 100;
}

TEST(Publication, ShowsNothingBeforeTheFirstSnapshot) {
    Publication publication{1};
    const SnapshotPublisher publisher{publication};
    const SnapshotReader reader{publication, 0};
    EXPECT_EQ(reader.current(), nullptr);
}

TEST(Publication, ShowsTheLatestSnapshot) {
    Publication publication{1};
    SnapshotPublisher publisher{publication};
    SnapshotReader reader{publication, 0};
    reader.online();
    publisher.publish(snapshot_of(1));
    EXPECT_EQ(reader.current()->epoch, 1U);
    publisher.publish(snapshot_of(2));
    EXPECT_EQ(reader.current()->epoch, 2U);
    EXPECT_EQ(publisher.current()->epoch, 2U);
    reader.offline();
}

TEST(Publication, KeepsASnapshotUntilEveryReaderHasBeenQuiescent) {
    Publication publication{2};
    SnapshotPublisher publisher{publication};
    SnapshotReader first{publication, 0};
    SnapshotReader second{publication, 1};
    first.online();
    second.online();
    publisher.publish(snapshot_of(1));
    const std::weak_ptr<const Paths> part = publisher.current()->paths;
    publisher.publish(snapshot_of(2));
    EXPECT_EQ(publisher.reclaim(), 1U);
    first.quiescent();
    EXPECT_EQ(publisher.reclaim(), 1U);
    EXPECT_FALSE(part.expired());
    second.quiescent();
    EXPECT_EQ(publisher.reclaim(), 0U);
    EXPECT_TRUE(part.expired());
    first.offline();
    second.offline();
}

TEST(Publication, ASleepingReaderKeepsNothing) {
    Publication publication{1};
    SnapshotPublisher publisher{publication};
    SnapshotReader reader{publication, 0};
    reader.online();
    publisher.publish(snapshot_of(1));
    reader.offline();
    publisher.publish(snapshot_of(2));
    EXPECT_EQ(publisher.reclaim(), 0U);
    reader.online();
    EXPECT_EQ(reader.current()->epoch, 2U);
    publisher.publish(snapshot_of(3));
    EXPECT_EQ(publisher.reclaim(), 1U);
    reader.offline();
    EXPECT_EQ(publisher.reclaim(), 0U);
}

TEST(Publication, QuiescenceBeforeAPublicationDoesNotCountForIt) {
    Publication publication{1};
    SnapshotPublisher publisher{publication};
    SnapshotReader reader{publication, 0};
    reader.online();
    publisher.publish(snapshot_of(1));
    reader.quiescent();
    publisher.publish(snapshot_of(2));
    EXPECT_EQ(publisher.reclaim(), 1U);
    reader.offline();
}

TEST(Publication, AReaderThatHasNeverComeOnlineKeepsNothing) {
    Publication publication{2};
    SnapshotPublisher publisher{publication};
    const SnapshotReader reader{publication, 0};
    publisher.publish(snapshot_of(1));
    publisher.publish(snapshot_of(2));
    EXPECT_EQ(publisher.reclaim(), 0U);
}

// One reader's thread: turns until told to stop, and sleeps, offline, now and then.
struct ReaderThread {
    void run(Publication& publication, unsigned id, const std::atomic<bool>& stop) {
        SnapshotReader reader{publication, id};
        reader.online();
        std::uint64_t seen = 0;
        for (unsigned turn = 0; !stop.load(); ++turn) {
            if (const Snapshot* snapshot = reader.current()) {
                was_well = was_well && snapshot->epoch >= seen && is_whole(*snapshot);
                changes_seen.fetch_add(snapshot->epoch != seen ? 1 : 0);
                seen = snapshot->epoch;
            }
            reader.quiescent();
            if (turn % 64 == id) {
                reader.offline();
                std::this_thread::yield();
                reader.online();
            }
        }
        reader.offline();
    }

    std::atomic<unsigned> changes_seen{0};
    bool was_well = true;
};

TEST(Publication, ReadersTurnAndSleepWhileSnapshotsComeAndGo) {
    Publication publication{3};
    SnapshotPublisher publisher{publication};
    std::array<ReaderThread, 3> readers;
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (unsigned id = 0; id < readers.size(); ++id) {
        threads.emplace_back([&, id] { readers[id].run(publication, id, stop); });
    }
    const auto has_seen_enough = [](const ReaderThread& reader) {
        return reader.changes_seen.load() >= 100;
    };
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    for (std::uint64_t epoch = 1; !std::all_of(readers.begin(), readers.end(), has_seen_enough) &&
                                  std::chrono::steady_clock::now() < deadline;
         ++epoch) {
        publisher.publish(snapshot_of(epoch));
    }
    stop.store(true);
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(publisher.reclaim(), 0U);
    for (const ReaderThread& reader : readers) {
        EXPECT_TRUE(has_seen_enough(reader));
        EXPECT_TRUE(reader.was_well);
    }
}

}  // namespace
}  // namespace fulcrum
