// How the authors' public code reranks (JianXu95/RALLRec at f994b1b), in place of eq. 8.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rallrec::text {

// Its notebooks differ: MovieLens-1M's sorts the similar ones by time, Amazon's does so only where
// the history is longer than the list, Book-Crossing's never.
enum class TwoThirds { kMovieLens, kAmazon, kBookCrossing };

// By the reader of the data set; MovieLens's for all others.
TwoThirds two_thirds_of(const std::string& dataset);

// What is shown, in that order: about two thirds of k by similarity (K1 = ⌊2k/3⌋), the rest by
// time.
//   kMovieLens     the k most similar, of which the K1 newest, newest first; then the newest others
//                  in time order
//   kAmazon        the same; where there are no more than k, the most similar first
//   kBookCrossing  the K1 most similar; then the newest others, newest first; where there are no
//                  more than k, the most similar first
// Arguments as of rerank (reranker.h), and `history`, how many interactions there are. An item is
// shown once.
std::vector<std::int32_t> rerank_two_thirds(TwoThirds rule,
                                            const std::vector<std::int32_t>& similar,
                                            const std::vector<std::int32_t>& newest,
                                            std::int64_t history, std::int64_t k);

}  // namespace rallrec::text
