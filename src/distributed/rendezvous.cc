#include "distributed/rendezvous.h"

#include <charconv>

#include "core/error.h"

namespace rallrec::distributed {
namespace {

constexpr std::size_t kShortestToken = 8;
constexpr char kTokenVariable[] = "RALLREC_NCCL_TOKEN";

class CommunicatorRendezvous : public Rendezvous {
 public:
  explicit CommunicatorRendezvous(Communicator& communicator) : communicator_(communicator) {}
  int rank() const override { return communicator_.rank(); }
  int size() const override { return communicator_.size(); }
  std::vector<std::string> exchange(const std::string& mine) override {
    return all_gather_strings(communicator_, mine);
  }

 private:
  Communicator& communicator_;
};

[[noreturn]] void throw_setting(const std::string& setting) {
  throw_usage("cluster.nccl_init = \"" + setting +
              "\": expected \"mpi\", \"file:PATH\" or \"tcp:HOST:PORT\"");
}

void check_token(const std::string& setting, const std::string& token) {
  if (token.size() < kShortestToken || token.find_first_of(" \t\r\n") != std::string::npos) {
    throw_usage("cluster.nccl_init = \"" + setting +
                "\" needs a token of the job, of at least 8 characters without white space and the "
                "same on all ranks: set " +
                kTokenVariable +
                ", for example to the output of `openssl "
                "rand -hex 16`");
  }
}

std::unique_ptr<Rendezvous> make_from_address(const std::string& setting,
                                              const std::string& address, const Meeting& meeting) {
  const std::size_t colon = address.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0) {
    throw_setting(setting);
  }
  const char* end = address.data() + address.size();
  const auto [rest, error] = std::from_chars(address.data() + colon + 1, end, port);
  if (error != std::errc() || rest != end || port < 1 || port > 65535) {
    throw_setting(setting);
  }
  return make_tcp_rendezvous(address.substr(0, colon), port, meeting);
}

}  // namespace

Meeting meeting_of(const Communicator& communicator, const Lookup& lookup) {
  Meeting meeting;
  meeting.rank = communicator.rank();
  meeting.size = communicator.size();
  const char* token = lookup(kTokenVariable);
  meeting.token = token == nullptr ? "" : token;
  return meeting;
}

std::unique_ptr<Rendezvous> make_rendezvous(Communicator& communicator) {
  return std::make_unique<CommunicatorRendezvous>(communicator);
}

std::unique_ptr<Rendezvous> make_rendezvous(const std::string& setting, Communicator& communicator,
                                            const Meeting& meeting) {
  if (setting == "mpi") {
    return make_rendezvous(communicator);
  }
  if (setting.rfind("file:", 0) == 0 && setting.size() > 5) {
    check_token(setting, meeting.token);
    return make_file_rendezvous(setting.substr(5), meeting);
  }
  if (setting.rfind("tcp:", 0) == 0) {
    check_token(setting, meeting.token);
    return make_from_address(setting, setting.substr(4), meeting);
  }
  throw_setting(setting);
}

}  // namespace rallrec::distributed
