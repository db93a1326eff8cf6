// Owned, zeroed, 64-byte aligned memory: the flat buffers of parameters and
// activations.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "fastnn/core/types.hpp"

namespace fastnn {

inline constexpr std::size_t kAlignment = 64;  // a cache line, an AVX-512 register

// Rows of activations start on a cache line: the stride of a matrix `cols` wide. Long
// rows avoid multiples of 512 bytes: at such distances the elements of a column compete
// for the same few places of the L1 cache.
template <class T>
constexpr Index padded_stride(Index cols) noexcept {
    constexpr Index kLine = kAlignment / sizeof(T);
    const Index stride = round_up(cols, kLine);
    const bool compete = stride >= 16 * kLine && stride % (8 * kLine) == 0;
    return compete ? stride + kLine : stride;
}

template <class T>
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(Index size) { resize(size); }
    Buffer(const Buffer& other) { *this = other; }
    Buffer(Buffer&& other) noexcept { swap(other); }
    Buffer& operator=(const Buffer& other) {
        if (this == &other) return *this;
        if (size_ != other.size_) resize(other.size_);
        std::copy_n(other.data_, size_, data_);
        return *this;
    }
    Buffer& operator=(Buffer&& other) noexcept {
        swap(other);
        return *this;
    }
    ~Buffer() { release(); }

    // Contents are zero afterwards.
    void resize(Index size) {
        Buffer fresh(size, kAllocate);
        swap(fresh);
    }
    // Grows only; a buffer that is large enough is left as it is.
    void reserve(Index size) {
        if (size > size_) resize(size);
    }
    void fill(T value) noexcept { std::fill_n(data_, size_, value); }

    T* data() noexcept { return data_; }
    const T* data() const noexcept { return data_; }
    Index size() const noexcept { return size_; }
    VectorView<T> view() noexcept { return {data_, size_}; }
    VectorView<const T> view() const noexcept { return {data_, size_}; }
    T& operator[](Index i) noexcept { return data_[i]; }
    const T& operator[](Index i) const noexcept { return data_[i]; }

private:
    enum Allocate { kAllocate };
    static constexpr std::size_t kWorthHugePages = 4 << 20;

    Buffer(Index size, Allocate) : size_(size) {
        if (size == 0) return;
        constexpr Index kMost = (PTRDIFF_MAX - static_cast<Index>(kAlignment)) /
                                static_cast<Index>(sizeof(T));
        if (size < 0 || size > kMost) throw std::bad_alloc();
        const auto bytes = static_cast<std::size_t>(size) * sizeof(T);
        // calloc leaves the zeroing of large blocks to the system, page by page as they
        // are first touched: gigabytes of activations delay neither a fit nor its
        // Ctrl-C.
        block_ = std::calloc(bytes + kAlignment, 1);
        if (!block_) throw std::bad_alloc();
        void* begin = block_;
        std::size_t space = bytes + kAlignment;
        data_ = static_cast<T*>(std::align(kAlignment, bytes, begin, space));
        if (bytes >= kWorthHugePages) ask_for_huge_pages(bytes);
    }
    // Fewer page faults when memory is new, fewer misses of the page table's cache when
    // columns are read. A wish: where the system has none, nothing changes.
    void ask_for_huge_pages([[maybe_unused]] std::size_t bytes) const noexcept {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
        constexpr std::uintptr_t kPage = 4096;
        const auto address = reinterpret_cast<std::uintptr_t>(data_);
        const std::uintptr_t begin = (address + kPage - 1) / kPage * kPage;
        const std::uintptr_t end = (address + bytes) / kPage * kPage;
        madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
    }
    void release() noexcept { std::free(block_); }
    void swap(Buffer& other) noexcept {
        std::swap(block_, other.block_);
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
    }

    void* block_ = nullptr;  // as allocated
    T* data_ = nullptr;      // the first cache line in it
    Index size_ = 0;
};

}  // namespace fastnn
