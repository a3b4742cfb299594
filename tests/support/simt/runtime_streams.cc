// The functions of include/cuda_runtime.h: streams and events.
#include "cuda_runtime.h"
#include "tests/support/simt/device.h"
#include "tests/support/simt/report.h"

using rallrec::simt::Device;

namespace {

cudaError_t state() {
  return rallrec::simt::first_report().empty() ? cudaSuccess : cudaErrorLaunchFailure;
}

cudaError_t unknown(const char* call, const char* what) {
  rallrec::simt::report(std::string(call) + " of " + what + " that does not exist");
  return cudaErrorInvalidResourceHandle;
}

}  // namespace

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  int device = 0;
  cudaGetDevice(&device);
  *stream = Device::instance().create_stream(device);
  return state();
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = 0;
  return state();
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int /*priority*/) {
  return cudaStreamCreateWithFlags(stream, flags);
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int /*device*/) {
  *pool = nullptr;
  return state();
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t /*pool*/, cudaMemPoolAttr /*attribute*/,
                                    void* /*value*/) {
  return state();
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return Device::instance().destroy_stream(stream) ? state()
                                                   : unknown("cudaStreamDestroy", "a stream");
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (!Device::instance().knows(stream)) {
    return unknown("cudaStreamSynchronize", "a stream");
  }
  if (Device::instance().captures(stream)) {
    rallrec::simt::report("cudaStreamSynchronize of a stream that is being captured");
    return cudaErrorInvalidValue;
  }
  Device::instance().wait_for(stream);
  return state();
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  if (!Device::instance().knows(stream)) {
    return unknown("cudaStreamQuery", "a stream");
  }
  return Device::instance().idle(stream) ? state() : cudaErrorNotReady;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (!Device::instance().knows(stream) || !Device::instance().knows(event)) {
    return unknown("cudaStreamWaitEvent", "a stream or event");
  }
  Device::instance().make_wait(stream, event);
  return state();
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = Device::instance().create_event();
  return state();
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return Device::instance().destroy_event(event) ? state()
                                                 : unknown("cudaEventDestroy", "an event");
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (!Device::instance().knows(stream) || !Device::instance().knows(event)) {
    return unknown("cudaEventRecord", "a stream or event");
  }
  Device::instance().record(event, stream);
  return state();
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (!Device::instance().knows(event)) {
    return unknown("cudaEventSynchronize", "an event");
  }
  if (Device::instance().was_captured(event)) {
    rallrec::simt::report("cudaEventSynchronize of an event that was recorded in a capture");
    return cudaErrorInvalidValue;
  }
  Device::instance().wait_for(event);
  return state();
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (!Device::instance().knows(event)) {
    return unknown("cudaEventQuery", "an event");
  }
  if (Device::instance().was_captured(event)) {
    rallrec::simt::report("cudaEventQuery of an event that was recorded in a capture");
    return cudaErrorInvalidValue;
  }
  return Device::instance().done(event) ? state() : cudaErrorNotReady;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* argument) {
  if (!Device::instance().enqueue(stream,
                                  rallrec::simt::function_operation([=] { function(argument); }))) {
    return unknown("cudaLaunchHostFunc", "a stream");
  }
  return state();
}
