#include "pipeline/doctor/job_findings.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/stopwatch.h"
#include "distributed/mpi_facts.h"

namespace rallrec::pipeline {
namespace {

constexpr std::size_t kFloats = std::size_t{4} << 20;
constexpr int kClockRounds = 20;
constexpr int kLatencyRounds = 200;
constexpr double kWideSkew = 1.0;

// "tcp, vader": what of OpenMPI's plugins of a kind is loaded.
std::string plugins(const std::vector<std::string>& libraries, const std::string& kind) {
  const std::string head = "/mca_" + kind + "_";
  std::string names;
  for (const std::string& path : libraries) {
    const std::size_t begin = path.rfind(head);
    if (begin != std::string::npos) {
      const std::size_t name = begin + head.size();
      names.append(names.empty() ? "" : ", ").append(path, name, path.find('.', name) - name);
    }
  }
  return names.empty() ? "none" : names;
}

double unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// By a barrier the ranks look at their clocks within its own duration; the smallest difference of
// several tries is nearest to the truth.
Finding skew_finding(distributed::Communicator& communicator) {
  const auto size = static_cast<std::size_t>(communicator.size());
  std::vector<double> skew(size, std::numeric_limits<double>::infinity());
  std::vector<double> times(size);
  for (int round = 0; round < kClockRounds; ++round) {
    communicator.barrier();
    const double mine = unix_seconds();
    communicator.all_gather(&mine, times.data(), 1, distributed::DType::kFloat64);
    for (std::size_t rank = 0; rank < size; ++rank) {
      const double difference = times[rank] - times[0];
      skew[rank] = std::fabs(difference) < std::fabs(skew[rank]) ? difference : skew[rank];
    }
  }
  const auto worst = std::max_element(
      skew.begin(), skew.end(), [](double a, double b) { return std::fabs(a) < std::fabs(b); });
  const std::string text =
      fmt::format("the clocks of the ranks differ by {:.2f} ms at most (rank {})",
                  1e3 * std::fabs(*worst), worst - skew.begin());
  return std::fabs(*worst) > kWideSkew
             ? Finding{Severity::kWarning, "clocks", text,
                       "logs of several hosts cannot be compared; run chrony or ntpd on them"}
             : Finding{Severity::kOk, "clocks", text, ""};
}

double latency_seconds(distributed::Communicator& communicator) {
  std::int64_t value = 1;
  const Stopwatch watch;
  for (int round = 0; round < kLatencyRounds; ++round) {
    communicator.all_reduce(&value, 1, distributed::DType::kInt64, distributed::ReduceOp::kMax);
  }
  return watch.seconds() / kLatencyRounds;
}

// Every rank makes the same number of rounds.
int rounds_for(double seconds, double of_one, distributed::Communicator& communicator) {
  auto rounds = static_cast<std::int64_t>(std::ceil(seconds / std::max(of_one, 1e-4)));
  communicator.broadcast(&rounds, 1, distributed::DType::kInt64, 0);
  return static_cast<int>(std::clamp<std::int64_t>(rounds, 1, 10000));
}

Finding all_reduce_finding(distributed::Communicator& communicator, double seconds) {
  const int size = communicator.size();
  std::vector<float> data(kFloats);
  bool right = true;
  const auto round = [&] {
    std::fill(data.begin(), data.end(), static_cast<float>(communicator.rank() + 1));
    const Stopwatch watch;
    communicator.all_reduce(data.data(), data.size(), distributed::DType::kFloat32);
    const double spent = watch.seconds();
    const auto sum = static_cast<float>(size * (size + 1) / 2);
    right = right && data.front() == sum && data[kFloats / 2] == sum && data.back() == sum;
    return spent;
  };
  const double first = round();
  const int rounds = rounds_for(seconds, first, communicator);
  std::vector<double> spent;
  for (int i = 0; i < rounds; ++i) {
    spent.push_back(round());
  }
  std::sort(spent.begin(), spent.end());
  const double median = spent[spent.size() / 2];
  const double bytes = kFloats * sizeof(float);
  const double moved = 2.0 * (size - 1) / size * bytes;
  const std::string text = fmt::format(
      "all-reduce of {:.1f} MB over {} ranks: {:.1f} ms, {:.2f} GB/s per rank (median of {}); of 8 "
      "bytes: {:.0f} us",
      bytes * 1e-6, size, median * 1e3, moved / median * 1e-9, rounds,
      latency_seconds(communicator) * 1e6);
  return right ? Finding{Severity::kOk, "exchange", text, ""}
               : Finding{Severity::kBroken, "exchange", text + "; the sum is wrong",
                         "memory or network of a host is faulty; halve the hosts to find it",
                         ExitCode::kDiverged};
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Findings launcher_findings(const std::vector<std::string>& libraries, int ranks) {
  const distributed::MpiFacts mpi = distributed::mpi_facts();
  Findings findings = {{Severity::kOk, "MPI",
                        mpi.library + ", " + (mpi.cuda_aware ? "" : "not ") +
                            "CUDA-aware; GPU data goes by NCCL or page-locked memory",
                        ""}};
  if (ranks > 1) {
    findings.push_back({Severity::kNote, "MPI",
                        "messages by " + plugins(libraries, "pml") + " over " +
                            plugins(libraries, "btl") + "; started by " +
                            plugins(libraries, "ess") + ", PMIx " + plugins(libraries, "pmix"),
                        ""});
  }
  const std::string job = variable("SLURM_JOB_ID");
  findings.push_back(
      {Severity::kNote, "launcher",
       job.empty()
           ? "no Slurm job"
           : "Slurm job " + job + " on " + variable("SLURM_JOB_NUM_NODES") + " nodes, " +
                 variable("SLURM_NTASKS") + " tasks, restart " +
                 (variable("SLURM_RESTART_COUNT").empty() ? "0" : variable("SLURM_RESTART_COUNT")),
       ""});
  return findings;
}

Findings exchange_findings(distributed::Communicator& communicator, double seconds) {
  if (communicator.size() == 1) {
    return {{Severity::kNote, "exchange", "one rank: there is nothing to exchange",
             "start doctor as the job will be started, by mpirun or srun"}};
  }
  Findings findings = {skew_finding(communicator), all_reduce_finding(communicator, seconds)};
  return communicator.rank() == 0 ? findings : Findings{};
}

}  // namespace rallrec::pipeline
