// How events are told to people.
#include "distributed/flight_record.h"

namespace rallrec::distributed {

const char* name_of(Phase phase) {
  switch (phase) {
    case Phase::kStart:
      return "start";
    case Phase::kData:
      return "data";
    case Phase::kLoad:
      return "load";
    case Phase::kPrompts:
      return "prompts";
    case Phase::kForward:
      return "forward";
    case Phase::kBackward:
      return "backward";
    case Phase::kReduce:
      return "reduce";
    case Phase::kUpdate:
      return "update";
    case Phase::kCheckpoint:
      return "checkpoint";
    case Phase::kEvaluation:
      return "evaluation";
    case Phase::kEnd:
      return "end";
  }
  return "unknown";
}

const char* name_of(FlightKind kind) {
  switch (kind) {
    case FlightKind::kStage:
      return "stage";
    case FlightKind::kPhase:
      return "phase";
    case FlightKind::kStep:
      return "step";
    case FlightKind::kLayer:
      return "layer";
    case FlightKind::kCall:
      return "call";
    case FlightKind::kWait:
      return "wait";
    case FlightKind::kDone:
      return "done";
  }
  return "unknown";
}

std::string place_text(const FlightEvent& event) {
  std::string text = event.stage[0] == 0 ? "start" : event.stage.data();
  if (event.step > 0) {
    text += ", step " + std::to_string(event.step);
  }
  if (event.phase != Phase::kStart) {
    text += std::string(", ") + name_of(event.phase);
  }
  if (event.layer >= 0) {
    text += ", layer " + std::to_string(event.layer);
  }
  return text;
}

std::string call_text(const CallNote& call) {
  if (call.sequence == 0) {
    return "no collective";
  }
  std::string text = name_of(call.kind);
  if (call.kind != CollectiveKind::kBarrier) {
    text += " of " + std::to_string(call.elements) + " x " + name_of(call.dtype);
  }
  if (call.site[0] != 0) {
    text += std::string(" at ") + call.site.data();
  }
  return text + " (collective " + std::to_string(call.sequence) + ")";
}

}  // namespace rallrec::distributed
