#include "tests/support/device/test_device.h"

#include <cstdlib>
#include <cstring>

namespace rallrec::testing {
namespace {

class CpuDevice : public TestDevice {
 public:
  Queue queue() const override { return {}; }

  void* allocate(std::size_t bytes) override {
    void* memory = std::malloc(bytes);
    std::memset(memory, 0xFF, bytes);
    return memory;
  }

  void release(void* memory) override { std::free(memory); }

  void upload(void* to, const void* from, std::size_t bytes) override { copy(to, from, bytes); }
  void download(void* to, const void* from, std::size_t bytes) override { copy(to, from, bytes); }

 private:
  static void copy(void* to, const void* from, std::size_t bytes) {
    if (bytes > 0) {
      std::memcpy(to, from, bytes);
    }
  }
};

}  // namespace

std::vector<std::string> device_names() { return {"cpu", gpu_column_name()}; }

std::unique_ptr<TestDevice> open_device(const std::string& name, std::string& why) {
  return name == "cpu" ? std::make_unique<CpuDevice>() : open_gpu_column(why);
}

bool gpu_is_required() {
  const char* value = std::getenv("RALLREC_REQUIRE_GPU");
  return value != nullptr && std::string(value) == "1";
}

}  // namespace rallrec::testing
