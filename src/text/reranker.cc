#include "text/reranker.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "core/error.h"

namespace rallrec::text {
namespace {

constexpr std::size_t kMaxDecimals = 9;

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  if (!digits || error != std::errc() || end != text.data() + text.size() || value > 1000000000) {
    return std::nullopt;
  }
  return value;
}

std::optional<Ratio> fraction(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  const auto numerator = whole(text.substr(0, slash));
  const auto denominator = whole(text.substr(slash + 1));
  if (!numerator || !denominator) {
    return std::nullopt;
  }
  return Ratio{*numerator, *denominator};
}

std::optional<Ratio> decimal(std::string_view text) {
  const std::size_t dot = std::min(text.find('.'), text.size());
  const std::string_view decimals = dot < text.size() ? text.substr(dot + 1) : "0";
  const auto integer = whole(text.substr(0, dot));
  const auto tail = whole(decimals);
  if (!integer || *integer > 1 || !tail || decimals.size() > kMaxDecimals) {
    return std::nullopt;
  }
  std::int64_t scale = 1;
  for (std::size_t i = 0; i < decimals.size(); ++i) {
    scale *= 10;
  }
  return Ratio{*integer * scale + *tail, scale};
}

struct Candidate {
  std::int32_t item = 0;
  std::int64_t embedding_rank = 0;  // 0 = not in the channel
  std::int64_t time_rank = 0;
  double score = 0.0;
  bool by_embedding = false;  // the channel that counts for ties
  std::int64_t rank = 0;      // its rank there
};

// Scores are taken times alpha's denominator. Numerators and powers of ranks are then whole numbers
// below 2^53 wherever beta is one, and a single correctly rounded division gives equal doubles for
// equal scores. In plain doubles (2/3)/2 would fall below 1 - 2/3.
void score(const RerankOptions& options, Candidate& c) {
  const auto embedding_weight = static_cast<double>(options.alpha.numerator);
  const auto time_weight = static_cast<double>(options.alpha.denominator - options.alpha.numerator);
  const double e = std::pow(static_cast<double>(c.embedding_rank), options.beta);
  const double t = std::pow(static_cast<double>(c.time_rank), options.beta);
  const double embedding_score = c.embedding_rank > 0 ? embedding_weight / e : 0.0;
  const double time_score = c.time_rank > 0 ? time_weight / t : 0.0;
  const bool in_both = c.embedding_rank > 0 && c.time_rank > 0;
  if (in_both && options.combine == RerankCombine::kSum) {
    c.score = (embedding_weight * t + time_weight * e) / (e * t);
    c.by_embedding = true;
  } else {
    c.score = std::max(embedding_score, time_score);
    c.by_embedding = c.embedding_rank > 0 && (c.time_rank == 0 || embedding_score >= time_score);
  }
  c.rank = c.by_embedding ? c.embedding_rank : c.time_rank;
}

bool stands_before(const Candidate& a, const Candidate& b) {
  return std::make_tuple(-a.score, !a.by_embedding, a.rank, -std::int64_t{a.item}) <
         std::make_tuple(-b.score, !b.by_embedding, b.rank, -std::int64_t{b.item});
}

class CandidateSet {
 public:
  void add(const std::vector<std::int32_t>& channel, std::int64_t k,
           std::int64_t Candidate::*rank) {
    const auto count = std::min<std::size_t>(channel.size(), static_cast<std::size_t>(k));
    for (std::size_t i = 0; i < count; ++i) {
      const auto [found, is_new] = index_.emplace(channel[i], candidates_.size());
      if (is_new) {
        candidates_.emplace_back();
        candidates_.back().item = channel[i];
      }
      candidates_[found->second].*rank = static_cast<std::int64_t>(i) + 1;
    }
  }
  std::vector<Candidate>& candidates() { return candidates_; }

 private:
  std::vector<Candidate> candidates_;
  std::unordered_map<std::int32_t, std::size_t> index_;
};

}  // namespace

Ratio ratio_from(const std::string& text, const std::string& key) {
  std::optional<Ratio> ratio = fraction(text);
  if (!ratio) {
    ratio = decimal(text);
  }
  if (!ratio || ratio->denominator == 0 || ratio->numerator > ratio->denominator) {
    throw_usage(key + " is \"" + text +
                "\"; expected a share from 0 to 1, such as \"2/3\" or \"0.65\"");
  }
  return *ratio;
}

RerankCombine rerank_combine_from(const std::string& name) {
  if (name != "max" && name != "sum") {
    throw_usage("prompt.rerank_combine is \"" + name + "\"; expected max or sum");
  }
  return name == "max" ? RerankCombine::kMax : RerankCombine::kSum;
}

RerankOrder rerank_order_from(const std::string& name) {
  if (name != "score" && name != "time") {
    throw_usage("prompt.rerank_order is \"" + name + "\"; expected score or time");
  }
  return name == "score" ? RerankOrder::kScore : RerankOrder::kTime;
}

std::vector<std::int32_t> rerank(const std::vector<std::int32_t>& embedding_channel,
                                 const std::vector<std::int32_t>& time_channel,
                                 const RerankOptions& options) {
  CandidateSet set;
  set.add(embedding_channel, options.k, &Candidate::embedding_rank);
  set.add(time_channel, options.k, &Candidate::time_rank);
  std::vector<Candidate>& candidates = set.candidates();
  for (Candidate& candidate : candidates) {
    score(options, candidate);
  }
  std::sort(candidates.begin(), candidates.end(), stands_before);
  candidates.resize(std::min<std::size_t>(candidates.size(), static_cast<std::size_t>(options.k)));
  std::vector<std::int32_t> items;
  for (const Candidate& candidate : candidates) {
    items.push_back(candidate.item);
  }
  if (options.order == RerankOrder::kTime) {
    std::sort(items.begin(), items.end());
  }
  return items;
}

}  // namespace rallrec::text
