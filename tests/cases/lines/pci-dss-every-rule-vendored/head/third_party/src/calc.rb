def calc(params)
  eval(params[:formula])
end
