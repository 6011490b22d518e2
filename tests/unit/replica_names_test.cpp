// From numbers to names and back.
#include "controlplane/peer/replica_names.h"

#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace fulcrum {
namespace {

Replica session_at(const test::Scene& /*scene*/, const ServiceView& view, std::size_t real) {
    return {.protocol = L4Protocol::tcp,
            .state = SessionState::established,
            .client = Ipv4Address::of(198, 51, 100, 7),
            .client_port = be16{40'000},
            .vip_port = be16{80},
            .listener = view.listeners.front(),
            .real = view.reals[real].index,
            .idle_s = 4};
}

test::Scene scene_with(const Endpoint& real, const std::string& name = "web1") {
    test::Scene scene;
    scene.service("web", *parse_endpoint("203.0.113.80:80")).real(name, real);
    scene.snapshot();
    return scene;
}

TEST(ReplicaNames, LeadBackToTheSameNumbers) {
    test::Scene scene = scene_with(*parse_endpoint("10.2.0.1:80"));
    const ReplicaNames names{scene.state().services(), "seed"};
    const Replica replica = session_at(scene, *scene.state().service("web"), 0);
    NamedReplica named;
    ASSERT_TRUE(names.name(replica, named));
    EXPECT_EQ(named.vip, *parse_endpoint("203.0.113.80:80"));
    Replica back;
    ASSERT_TRUE(names.place(named, back));
    EXPECT_EQ(back, replica);
}

TEST(ReplicaNames, MeanNothingToADirectorWithAnotherRealOfThatName) {
    test::Scene one = scene_with(*parse_endpoint("10.2.0.1:80"));
    test::Scene moved = scene_with(*parse_endpoint("10.2.0.2:80"));
    test::Scene renamed = scene_with(*parse_endpoint("10.2.0.1:80"), "web2");
    const ReplicaNames names{one.state().services(), "seed"};
    NamedReplica named;
    ASSERT_TRUE(names.name(session_at(one, *one.state().service("web"), 0), named));
    Replica ignored;
    EXPECT_FALSE((ReplicaNames{moved.state().services(), "seed"}.place(named, ignored)));
    EXPECT_FALSE((ReplicaNames{renamed.state().services(), "seed"}.place(named, ignored)));
    EXPECT_FALSE((ReplicaNames{one.state().services(), "other"}.place(named, ignored)));
    EXPECT_TRUE((ReplicaNames{one.state().services(), "seed"}.place(named, ignored)));
}

TEST(ReplicaNames, FindTheListenerByAnyPortOfItsRange) {
    test::Scene scene;
    scene.service("web", *parse_endpoint("203.0.113.80:80"))
        .real("web1", *parse_endpoint("10.2.0.1:80"));
    VirtualService& service = scene.last_service();
    service.listen.push_back(
        {IpPrefix::only(Ipv4Address::of(203, 0, 113, 81)), {8'000, 8'099}, L4Protocol::tcp, {}});
    scene.snapshot();
    const ServiceView view = *scene.state().service("web");
    const ReplicaNames names{scene.state().services(), "seed"};
    Replica replica = session_at(scene, view, 0);
    replica.listener = view.listeners[1];
    replica.vip_port = be16{8'050};
    NamedReplica named;
    ASSERT_TRUE(names.name(replica, named));
    EXPECT_EQ(named.vip, *parse_endpoint("203.0.113.81:8050"));
    Replica back;
    ASSERT_TRUE(names.place(named, back));
    EXPECT_EQ(back.listener, view.listeners[1]);
    named.vip.port = be16{8'100};
    EXPECT_FALSE(names.place(named, back));
    named.vip.port = be16{8'050};
    named.protocol = L4Protocol::udp;
    EXPECT_FALSE(names.place(named, back));
}

TEST(ReplicaNames, NameClientsByTheirService) {
    test::Scene scene = scene_with(*parse_endpoint("10.2.0.1:80"));
    const ServiceView view = *scene.state().service("web");
    const ReplicaNames names{scene.state().services(), "seed"};
    const Replica client{.kind = ReplicaKind::client,
                         .client = Ipv4Address::of(198, 51, 100, 0),
                         .real = view.reals.front().index,
                         .prefix = 120,
                         .idle_s = 5,
                         .number = view.id};
    NamedReplica named;
    ASSERT_TRUE(names.name(client, named));
    Replica back;
    ASSERT_TRUE(names.place(named, back));
    EXPECT_EQ(back.listener, view.listeners.front());
    EXPECT_EQ(back.real, view.reals.front().index);
    EXPECT_EQ(back.prefix, 120);
}

TEST(ReplicaNames, HaveNoneForNumbersThatNobodyHas) {
    test::Scene scene = scene_with(*parse_endpoint("10.2.0.1:80"));
    const ReplicaNames names{scene.state().services(), "seed"};
    Replica replica = session_at(scene, *scene.state().service("web"), 0);
    NamedReplica ignored;
    replica.real = 77;
    EXPECT_FALSE(names.name(replica, ignored));
    replica.listener = 77;
    EXPECT_FALSE(names.name(replica, ignored));
    EXPECT_FALSE(names.name({.kind = ReplicaKind::client, .number = 77}, ignored));
    EXPECT_TRUE(names.clashes().empty());
}

}  // namespace
}  // namespace fulcrum
