#include "distributed/rendezvous.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "core/error.h"
#include "distributed/local_communicator.h"
#include "distributed/peer_lost.h"
#include "distributed/tcp_socket.h"
#include "distributed/thread_communicator.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::distributed {
namespace {

using rallrec::testing::expect_error;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kToken[] = "3f9ab2c47d";

Meeting meeting(int rank, int size, milliseconds timeout = milliseconds(20000)) {
  return {rank, size, kToken, timeout};
}

std::string text_of(int rank) {
  return std::string("rank\n") + std::to_string(rank) + '\0' +
         std::string(static_cast<std::size_t>(rank) * 3000, 'x');
}

using Maker = std::function<std::unique_ptr<Rendezvous>(int rank)>;

void expect_all_meet(int size, const Maker& make) {
  std::vector<std::thread> threads;
  std::atomic<int> met{0};
  for (int rank = size - 1; rank >= 0; --rank) {
    threads.emplace_back([&, rank] {
      const auto rendezvous = make(rank);
      EXPECT_EQ(rendezvous->rank(), rank);
      EXPECT_EQ(rendezvous->size(), size);
      const std::vector<std::string> texts = rendezvous->exchange(text_of(rank));
      ASSERT_EQ(texts.size(), static_cast<std::size_t>(size));
      for (int other = 0; other < size; ++other) {
        EXPECT_EQ(texts[static_cast<std::size_t>(other)], text_of(other));
      }
      ++met;
    });
    std::this_thread::sleep_for(milliseconds(20));
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(met, size);
}

// A port that nobody has just now.
int free_port() {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  EXPECT_EQ(bind(descriptor, reinterpret_cast<sockaddr*>(&address), length), 0);
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length);
  close(descriptor);
  return ntohs(address.sin_port);
}

class FileMeeting : public ::testing::Test {
 protected:
  std::string path() const { return folder_.file("nccl"); }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_.path()), {}));
  }

 private:
  const rallrec::testing::TemporaryFolder folder_;
};

TEST(CommunicatorMeeting, IsAnAllGather) {
  run_thread_ranks(3, [](Communicator& group) {
    const auto texts = make_rendezvous(group)->exchange(text_of(group.rank()));
    EXPECT_EQ(texts, (std::vector<std::string>{text_of(0), text_of(1), text_of(2)}));
  });
}

TEST_F(FileMeeting, AllMeetAndNothingIsLeft) {
  for (const int size : {1, 2, 4}) {
    expect_all_meet(size,
                    [&](int rank) { return make_file_rendezvous(path(), meeting(rank, size)); });
    EXPECT_EQ(files(), 0U);
  }
}

TEST_F(FileMeeting, FilesAreForTheOwnerAlone) {
  std::thread other([&] {
    EXPECT_THROW(make_file_rendezvous(path(), meeting(1, 3, milliseconds(600)))->exchange("b"),
                 PeerLost);
  });
  const std::string file = path() + ".rank1";
  struct stat status {};
  while (stat(file.c_str(), &status) != 0) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  other.join();
  EXPECT_EQ(files(), 0U);
}

TEST_F(FileMeeting, AnAbsentRankIsNamedByItsFile) {
  expect_error(ExitCode::kPeerLost, path() + ".rank1: did not appear in time", [&] {
    make_file_rendezvous(path(), meeting(0, 2, milliseconds(100)))->exchange("a");
  });
  EXPECT_EQ(files(), 0U);
}

TEST_F(FileMeeting, AnotherJobsFileIsRefused) {
  std::ofstream(path() + ".rank1") << "another-job\nits text";
  expect_error(ExitCode::kPeerLost, path() + ".rank1: was left by a job with another token", [&] {
    make_file_rendezvous(path(), meeting(0, 2, milliseconds(100)))->exchange("a");
  });
}

TEST_F(FileMeeting, AnotherJobsFileIsReplacedByThisJobs) {
  std::ofstream(path() + ".rank0") << "another-job\nits text";
  std::ofstream(path() + ".rank1") << std::string(kToken) + "0\nits text";
  expect_all_meet(2, [&](int rank) { return make_file_rendezvous(path(), meeting(rank, 2)); });
}

TEST_F(FileMeeting, AFolderThatIsNotThereIsAnIoError) {
  expect_error(ExitCode::kIo, "no/such/folder", [&] {
    make_file_rendezvous(path() + "/no/such/folder/f", meeting(0, 2))->exchange("a");
  });
}

TEST(TcpMeeting, AllMeet) {
  for (const int size : {1, 2, 4}) {
    const int port = free_port();
    expect_all_meet(size, [&](int rank) {
      return make_tcp_rendezvous("127.0.0.1", port, meeting(rank, size));
    });
  }
}

TEST(TcpMeeting, AWrongTokenIsTurnedAwayAndChangesNothing) {
  const int port = free_port();
  std::thread intruder([&] {
    Meeting wrong = meeting(1, 2);
    wrong.token = "3f9ab2c47e";
    expect_error(ExitCode::kUsage, "turned rank 1 away: the token is not this job's",
                 [&] { make_tcp_rendezvous("127.0.0.1", port, wrong)->exchange("evil"); });
  });
  std::thread first([&] {
    const auto texts = make_tcp_rendezvous("127.0.0.1", port, meeting(0, 2))->exchange("a");
    EXPECT_EQ(texts, (std::vector<std::string>{"a", "b"}));
  });
  intruder.join();
  EXPECT_EQ(make_tcp_rendezvous("127.0.0.1", port, meeting(1, 2))->exchange("b").size(), 2U);
  first.join();
}

TEST(TcpMeeting, StrangersAreTurnedAway) {
  const int port = free_port();
  std::thread first([&] {
    const auto texts = make_tcp_rendezvous("127.0.0.1", port, meeting(0, 2))->exchange("a");
    EXPECT_EQ(texts, (std::vector<std::string>{"a", "b"}));
  });
  const auto soon = [] { return TcpSocket::Clock::now() + milliseconds(3000); };
  for (const std::string& words :
       {std::string("GET / HTTP/1.1"), std::string(), std::string(100000, 'x'),
        std::string("rallrec rendezvous 1\n") + kToken + "\n7 2\nb",
        std::string("rallrec rendezvous 1\n") + kToken + "\n0 2\nb",
        std::string("rallrec rendezvous 1\n") + kToken + "\nx"}) {
    TcpSocket stranger;
    while (!stranger.valid()) {
      stranger = TcpSocket::connect("127.0.0.1", port, soon());
    }
    stranger.send(words, soon());
    std::string answer;
    EXPECT_FALSE(stranger.receive(answer, 1000, soon()) && answer.rfind("all", 0) == 0);
  }
  EXPECT_EQ(make_tcp_rendezvous("127.0.0.1", port, meeting(1, 2))->exchange("b")[0], "a");
  first.join();
}

TEST(TcpMeeting, AbsentRanksAreNamed) {
  const int port = free_port();
  std::thread second([&] {
    expect_error(ExitCode::kPeerLost, "rank 1 got no answer from rank 0 in time", [&] {
      make_tcp_rendezvous("127.0.0.1", port, meeting(1, 4, milliseconds(400)))->exchange("b");
    });
  });
  expect_error(ExitCode::kPeerLost, "only 2 of 4 ranks came in time; absent: 2 3;", [&] {
    make_tcp_rendezvous("127.0.0.1", port, meeting(0, 4, milliseconds(300)))->exchange("a");
  });
  second.join();
}

TEST(TcpMeeting, WrongAddressesAreIoErrors) {
  expect_error(ExitCode::kIo, "127.0.0.999:4000", [] {
    make_tcp_rendezvous("127.0.0.999", 4000, meeting(0, 2, milliseconds(100)))->exchange("a");
  });
}

TEST(NcclInit, SettingsAreRead) {
  LocalCommunicator local;
  const auto make = [&](const std::string& setting) {
    return make_rendezvous(setting, local, meeting(1, 3));
  };
  EXPECT_EQ(make("mpi")->size(), 1);
  EXPECT_EQ(make("file:/tmp/x")->size(), 3);
  EXPECT_EQ(make("tcp:node1:4000")->rank(), 1);
  for (const char* wrong : {"", "mpi:", "nccl", "file:", "tcp:", "tcp:node1", "tcp::4000",
                            "tcp:node1:", "tcp:node1:0", "tcp:node1:70000", "tcp:node1:4x"}) {
    expect_error(ExitCode::kUsage, "\"tcp:HOST:PORT\"", [&] { make(wrong); });
  }
}

TEST(NcclInit, TheTokenComesFromTheEnvironment) {
  LocalCommunicator local;
  const auto lookup = [](const char* name) {
    return std::string(name) == "RALLREC_NCCL_TOKEN" ? kToken : nullptr;
  };
  EXPECT_EQ(meeting_of(local, lookup).token, kToken);
  EXPECT_EQ(meeting_of(local, [](const char*) { return nullptr; }).token, "");
}

TEST(NcclInit, ATokenIsAskedFor) {
  LocalCommunicator local;
  for (const char* wrong : {"", "short", "has a blank in it"}) {
    expect_error(ExitCode::kUsage, "set RALLREC_NCCL_TOKEN", [&] {
      make_rendezvous("file:/tmp/x", local, {0, 2, wrong, milliseconds(100)});
    });
  }
}

}  // namespace
}  // namespace rallrec::distributed
