! The Fortran module of gowalrus, over the C library (gowalrus.h, which documents codes and
! texts). Link with -lgowalrus.
!
!     use gowalrus
!     integer(c_int64_t) :: model
!     type(gowalrus_start) :: start
!     call gowalrus_open("nano", 1_c_int64_t, model, code)
!     start%fields = "pressure,velocity:vector"
!     start%boundaries = "wall/open,wall/open"
!     start%grid = [48, 48]
!     call gowalrus_forecast(model, start, history, steps, forecast, code)
!     if (code /= GOWALRUS_OK) print *, gowalrus_last_error()
!
! The arrays are contiguous and hold the values in the order of memory that gowalrus.h states.
! In Fortran, where the first index varies fastest, a history on a grid of nx by ny points is
! an array (ny, nx, channels, frames): the last space index is the axis x of the library, along
! which velocity_x points.
module gowalrus
   use, intrinsic :: iso_c_binding
   implicit none
   private
   public :: c_int, c_int64_t, c_float
   public :: gowalrus_start, gowalrus_abi, gowalrus_open, gowalrus_close, gowalrus_describe, gowalrus_forecast, &
             gowalrus_ensemble, gowalrus_vjp, gowalrus_last_error

   integer(c_int), parameter, public :: GOWALRUS_OK = 0, GOWALRUS_NULL = 1, GOWALRUS_LENGTH = 2, GOWALRUS_MODEL = 3, &
      GOWALRUS_WINDOW = 4, GOWALRUS_WEIGHTS = 5, GOWALRUS_FORECAST_FAILED = 6, GOWALRUS_INTERNAL = 7

   ! The layout of the frames from which a forecast starts. grid holds the points of the axes
   ! x, y and z. constants may stay without an allocation.
   type :: gowalrus_start
      character(:), allocatable :: fields, boundaries
      integer, allocatable :: grid(:)
      integer :: frames = 1
      real(c_float), allocatable :: constants(:)
   end type

   type, bind(c) :: window_t
      type(c_ptr) :: fields, boundaries
      integer(c_int64_t) :: axes, grid(3), history
      type(c_ptr) :: frames
      integer(c_size_t) :: frames_length
      type(c_ptr) :: constants
      integer(c_size_t) :: constants_length
   end type

   interface
      function gowalrus_abi() bind(c, name="gowalrus_abi") result(version)
         import c_int64_t
         integer(c_int64_t) :: version
      end function
      function open_c(weights, seed, model) bind(c, name="gowalrus_open") result(code)
         import c_char, c_int, c_int64_t
         character(kind=c_char), intent(in) :: weights(*)
         integer(c_int64_t), value :: seed
         integer(c_int64_t), intent(out) :: model
         integer(c_int) :: code
      end function
      function close_c(model) bind(c, name="gowalrus_close") result(code)
         import c_int, c_int64_t
         integer(c_int64_t), value :: model
         integer(c_int) :: code
      end function
      function describe_c(model, text, size, needed) bind(c, name="gowalrus_describe") result(code)
         import c_char, c_int, c_int64_t, c_ptr, c_size_t
         integer(c_int64_t), value :: model
         type(c_ptr), value :: text
         integer(c_size_t), value :: size
         integer(c_size_t), intent(inout) :: needed
         integer(c_int) :: code
      end function
      function forecast_c(model, window, steps, out, length) bind(c, name="gowalrus_forecast") result(code)
         import c_int, c_int64_t, c_ptr, c_size_t, window_t
         integer(c_int64_t), value :: model, steps
         type(window_t), intent(in) :: window
         type(c_ptr), value :: out
         integer(c_size_t), value :: length
         integer(c_int) :: code
      end function
      function ensemble_c(model, window, steps, members, out, length) bind(c, name="gowalrus_ensemble") result(code)
         import c_int, c_int64_t, c_ptr, c_size_t, window_t
         integer(c_int64_t), value :: model, steps, members
         type(window_t), intent(in) :: window
         type(c_ptr), value :: out
         integer(c_size_t), value :: length
         integer(c_int) :: code
      end function
      function vjp_c(model, window, steps, cotangents, cotangents_length, frames, frames_length, &
                     constants, constants_length) bind(c, name="gowalrus_vjp") result(code)
         import c_int, c_int64_t, c_ptr, c_size_t, window_t
         integer(c_int64_t), value :: model, steps
         type(window_t), intent(in) :: window
         type(c_ptr), value :: cotangents, frames, constants
         integer(c_size_t), value :: cotangents_length, frames_length, constants_length
         integer(c_int) :: code
      end function
      function last_error_c() bind(c, name="gowalrus_last_error") result(text)
         import c_ptr
         type(c_ptr) :: text
      end function
      function strlen(text) bind(c, name="strlen") result(n)
         import c_ptr, c_size_t
         type(c_ptr), value :: text
         integer(c_size_t) :: n
      end function
   end interface

contains

   subroutine gowalrus_open(weights, seed, model, code)
      character(*), intent(in) :: weights
      integer(c_int64_t), intent(in) :: seed
      integer(c_int64_t), intent(out) :: model
      integer(c_int), intent(out) :: code
      code = open_c(trim(weights)//c_null_char, seed, model)
   end subroutine

   subroutine gowalrus_close(model, code)
      integer(c_int64_t), intent(in) :: model
      integer(c_int), intent(out) :: code
      code = close_c(model)
   end subroutine

   ! The description of a model as JSON.
   subroutine gowalrus_describe(model, text, code)
      integer(c_int64_t), intent(in) :: model
      character(:), allocatable, intent(out) :: text
      integer(c_int), intent(out) :: code
      character(kind=c_char), allocatable, target :: raw(:)
      integer(c_size_t) :: needed
      integer :: i
      needed = 0
      text = ""
      code = describe_c(model, c_null_ptr, 0_c_size_t, needed)
      if (needed == 0) return
      allocate (raw(needed))
      code = describe_c(model, c_loc(raw), needed, needed)
      if (code /= GOWALRUS_OK) return
      deallocate (text)
      allocate (character(needed - 1) :: text)
      do i = 1, len(text)
         text(i:i) = raw(i)
      end do
   end subroutine

   ! Forecasts steps frames: (y, x, channels, steps). history and forecast have any rank.
   subroutine gowalrus_forecast(model, start, history, steps, forecast, code)
      integer(c_int64_t), intent(in) :: model
      type(gowalrus_start), intent(in) :: start
      real(c_float), intent(in), contiguous, target :: history(..)
      integer, intent(in) :: steps
      real(c_float), intent(inout), contiguous, target :: forecast(..)
      integer(c_int), intent(out) :: code
      type(window_t) :: window
      character(:, c_char), allocatable, target :: fields, boundaries
      real(c_float), allocatable, target :: constants(:)
      call fill(start, history, fields, boundaries, constants, window, code)
      if (code /= GOWALRUS_OK) return
      code = forecast_c(model, window, int(steps, c_int64_t), c_loc(forecast), size(forecast, kind=c_size_t))
   end subroutine

   ! Forecasts an ensemble: (y, x, channels, members, steps).
   subroutine gowalrus_ensemble(model, start, history, steps, members, forecast, code)
      integer(c_int64_t), intent(in) :: model
      type(gowalrus_start), intent(in) :: start
      real(c_float), intent(in), contiguous, target :: history(..)
      integer, intent(in) :: steps, members
      real(c_float), intent(inout), contiguous, target :: forecast(..)
      integer(c_int), intent(out) :: code
      type(window_t) :: window
      character(:, c_char), allocatable, target :: fields, boundaries
      real(c_float), allocatable, target :: constants(:)
      call fill(start, history, fields, boundaries, constants, window, code)
      if (code /= GOWALRUS_OK) return
      code = ensemble_c(model, window, int(steps, c_int64_t), int(members, c_int64_t), &
                        c_loc(forecast), size(forecast, kind=c_size_t))
   end subroutine

   ! The derivatives of a function of a forecast with respect to the history and, if start has
   ! constants, with respect to them. cotangents are those with respect to the forecast: (y, x,
   ! channels, steps).
   subroutine gowalrus_vjp(model, start, history, steps, cotangents, gradient, code, constants_gradient)
      integer(c_int64_t), intent(in) :: model
      type(gowalrus_start), intent(in) :: start
      real(c_float), intent(in), contiguous, target :: history(..), cotangents(..)
      integer, intent(in) :: steps
      real(c_float), intent(inout), contiguous, target :: gradient(..)
      integer(c_int), intent(out) :: code
      real(c_float), intent(inout), contiguous, target, optional :: constants_gradient(..)
      type(window_t) :: window
      character(:, c_char), allocatable, target :: fields, boundaries
      real(c_float), allocatable, target :: constants(:)
      type(c_ptr) :: more
      integer(c_size_t) :: more_length
      call fill(start, history, fields, boundaries, constants, window, code)
      if (code /= GOWALRUS_OK) return
      more = c_null_ptr
      more_length = 0
      if (present(constants_gradient)) then
         more = c_loc(constants_gradient)
         more_length = size(constants_gradient, kind=c_size_t)
      end if
      code = vjp_c(model, window, int(steps, c_int64_t), c_loc(cotangents), size(cotangents, kind=c_size_t), &
                   c_loc(gradient), size(gradient, kind=c_size_t), more, more_length)
   end subroutine

   ! Sets the parts of a window. The history, the texts and the constants must live as long.
   subroutine fill(start, history, fields, boundaries, constants, window, code)
      type(gowalrus_start), intent(in) :: start
      real(c_float), intent(in), contiguous, target :: history(..)
      character(:, c_char), allocatable, target, intent(out) :: fields, boundaries
      real(c_float), allocatable, target, intent(out) :: constants(:)
      type(window_t), intent(out) :: window
      integer(c_int), intent(out) :: code
      code = GOWALRUS_WINDOW
      if (.not. (allocated(start%fields) .and. allocated(start%boundaries) .and. allocated(start%grid))) return
      if (size(start%grid) < 1 .or. size(start%grid) > 3) return
      code = GOWALRUS_OK
      fields = start%fields//c_null_char
      boundaries = start%boundaries//c_null_char
      window%fields = c_loc(fields)
      window%boundaries = c_loc(boundaries)
      window%axes = size(start%grid)
      window%grid = 1
      window%grid(:size(start%grid)) = start%grid
      window%history = start%frames
      window%frames = c_loc(history)
      window%frames_length = size(history, kind=c_size_t)
      window%constants = c_null_ptr
      window%constants_length = 0
      if (allocated(start%constants)) then
         constants = start%constants
         window%constants = c_loc(constants)
         window%constants_length = size(constants)
      end if
   end subroutine

   ! The text of the last error of this thread.
   function gowalrus_last_error() result(text)
      character(:), allocatable :: text
      character(kind=c_char), pointer :: raw(:)
      type(c_ptr) :: p
      integer :: i, n
      p = last_error_c()
      n = int(strlen(p))
      allocate (character(n) :: text)
      call c_f_pointer(p, raw, [n])
      do i = 1, n
         text(i:i) = raw(i)
      end do
   end function

end module
