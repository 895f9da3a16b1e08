! Forecasts with walrus-nano and differentiates the forecast. usage: forecast HISTORY FORECAST
program forecast_program
   use gowalrus
   implicit none
   integer, parameter :: n = 16, channels = 3, frames = 6, steps = 2
   real(c_float) :: history(n, n, channels, frames), forecast(n, n, channels, steps), members(n, n, channels, 2, 1)
   real(c_float) :: gradient(n, n, channels, frames)
   type(gowalrus_start) :: start
   integer(c_int64_t) :: model
   integer(c_int) :: code
   character(256) :: from, to
   character(:), allocatable :: text
   integer :: unit

   call get_command_argument(1, from)
   call get_command_argument(2, to)
   open (newunit=unit, file=from, access="stream", form="unformatted", status="old")
   read (unit) history
   close (unit)

   call gowalrus_open("nano", 7_c_int64_t, model, code)
   call expect(GOWALRUS_OK, "open")
   call gowalrus_describe(model, text, code)
   call expect(GOWALRUS_OK, "describe")
   if (index(text, "velocity_x") == 0) error stop "expected velocity_x in the description"

   call gowalrus_forecast(model, start, history, steps, forecast, code)
   call expect(GOWALRUS_WINDOW, "a start without fields")
   start%fields = "pressure,velocity:vector"
   start%boundaries = "wall/open,wall/open"
   start%grid = [n, n]
   start%frames = frames
   call gowalrus_forecast(model, start, history, steps + 1, forecast, code)
   call expect(GOWALRUS_LENGTH, "too many steps")
   if (index(gowalrus_last_error(), "out: expected 2304 values") == 0) error stop "expected the lengths in the error"
   call gowalrus_ensemble(model, start, history, 1, 2, members, code)
   call expect(GOWALRUS_OK, "ensemble")
   call gowalrus_forecast(model, start, history, steps, forecast, code)
   call expect(GOWALRUS_OK, "forecast")
   call gowalrus_vjp(model, start, history, steps, forecast, gradient(:, :, :, 1), code)
   call expect(GOWALRUS_LENGTH, "a gradient of one frame")
   ! The derivatives of half the sum of all squares of the forecast.
   call gowalrus_vjp(model, start, history, steps, forecast, gradient, code)
   call expect(GOWALRUS_OK, "vjp")
   call gowalrus_close(model, code)
   call expect(GOWALRUS_OK, "close")
   call gowalrus_close(model, code)
   call expect(GOWALRUS_MODEL, "close again")

   open (newunit=unit, file=to, access="stream", form="unformatted", status="new")
   write (unit) forecast, gradient
   close (unit)

contains
   subroutine expect(want, what)
      integer(c_int), intent(in) :: want
      character(*), intent(in) :: what
      if (code == want) return
      print *, what, ": expected ", want, ", got ", code, ": ", gowalrus_last_error()
      error stop 1
   end subroutine
end program
